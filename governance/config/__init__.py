"""Composition: settings, URLs, the Celery application, and where ports meet adapters."""

from governance.config.celery import app as celery_app

__all__ = ["celery_app"]
