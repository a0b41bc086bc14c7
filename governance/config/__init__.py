"""Composition: settings, URLs, the Celery application, and the wiring of ports to adapters."""

from governance.config.celery import app as celery_app

__all__ = ["celery_app"]
