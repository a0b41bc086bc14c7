"""Obligations that workers carry out on output images."""

from inference_workers.obligations.carry_out import apply_obligations
from inference_workers.obligations.handlers import CARRIED_OUT

__all__ = ["CARRIED_OUT", "apply_obligations"]
