"""Closed vocabularies of the OPA area."""

from django.db import models


class Refusal(models.TextChoices):
    """Why something that an OPA server uploaded was not taken."""

    NOT_STRICT = "not_strict", "JSON that readers understand differently, or nested too deeply"
    NOT_AN_EVENT = "not_an_event", "not an object"
    NO_ID = "no_decision_id", "no decision id that can be stored"
    NO_TIME = "no_timestamp", "no timestamp of a moment from the years 1 to 9999"
    WRONG_TYPE = "wrong_type", "a member of another type than OPA writes"
    TOO_LARGE = "too_large", "larger than one event may be"
    PAST_LIMIT = "past_limit", "past the limit of one upload"
    UNSTORABLE = "unstorable", "a value that the database cannot hold"
    UPLOAD = "upload", "a whole upload that cannot be read; the server sends it again"
