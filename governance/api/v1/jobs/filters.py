"""Filters of the list of jobs."""

from django_filters import CharFilter

from governance.api.filters import CreatedFilterSet
from governance.jobs.models import Job


class JobFilterSet(CreatedFilterSet):
    """By state, task, purpose, model and time of creation."""

    model = CharFilter(field_name="model_version__model__slug", help_text="The model's slug.")

    class Meta:
        model = Job
        fields = ["state", "task", "purpose"]
