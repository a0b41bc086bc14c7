"""The adapters that this process works with: runtimes as model versions name them, the moderator of the settings."""

from functools import cache

from django.conf import settings

from governance.decisions.permits import redeem
from governance.workflows.ports import ModelRuntime, Moderator
from inference_workers.moderators import MODERATORS
from inference_workers.runtimes import RUNTIMES


@cache
def runtime(name: str) -> ModelRuntime:
    """Return this process's runtime of that name, which redeems permits itself. Raises AdapterUnknown."""
    return RUNTIMES.get(name)(redeem=redeem, device=settings.ASSENT_RUNTIME_DEVICE)


@cache
def moderator() -> Moderator:
    """Return this process's moderator, the one of ASSENT_MODERATOR."""
    return MODERATORS.get(settings.ASSENT_MODERATOR)()
