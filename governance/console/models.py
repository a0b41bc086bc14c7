"""Tables of the console beside Django's own of users and groups."""

from django.contrib.auth.models import User
from django.db import models


class SessionBound(models.Model):
    """From when on the sessions of a user count: those that began earlier have ended."""

    user = models.OneToOneField(User, on_delete=models.CASCADE, primary_key=True, related_name="session_bound")
    since = models.DateTimeField(help_text="Sessions that began before this have ended.")

    def __str__(self) -> str:
        return f"sessions of {self.user_id} since {self.since}"
