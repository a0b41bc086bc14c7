"""The Celery application. Workers and the scheduler start from here."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "governance.config.settings.prod")

app = Celery("assent")
app.config_from_object("django.conf:settings", namespace="CELERY")
