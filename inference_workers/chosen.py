"""The adapters that this process works with: runtimes as model versions name them, the moderator of the settings."""

from functools import cache, partial

from django.conf import settings

from governance.catalog.picture_limits import picture_limits
from governance.decisions.permits import redeem
from governance.workflows.ports import ModelRuntime, Moderator, ObligationHandler
from inference_workers.capacity import Room, keep_no_freed_memory
from inference_workers.moderators import MODERATORS
from inference_workers.obligations.carry_out import apply_obligations
from inference_workers.runtimes import RUNTIMES


@cache
def runtime(name: str) -> ModelRuntime:
    """Return this process's runtime of that name, which redeems permits itself. Raises AdapterUnknown."""
    return RUNTIMES.get(name)(
        redeem=redeem,
        device=settings.ASSENT_RUNTIME_DEVICE,
        limits=picture_limits(),
        max_output_pixels=settings.ASSENT_MAX_OUTPUT_PIXELS,
        room=room(),
    )


@cache
def moderator() -> Moderator:
    """Return this process's moderator, the one of ASSENT_MODERATOR."""
    return MODERATORS.get(settings.ASSENT_MODERATOR)(
        max_pixels=max(settings.ASSENT_MAX_PIXELS, settings.ASSENT_MAX_OUTPUT_PIXELS),
        max_views=settings.ASSENT_MODERATION_VIEWS,
        room=room(),
    )


def obligations() -> ObligationHandler:
    """Return what carries out obligations in this process."""
    return partial(apply_obligations, max_pixels=settings.ASSENT_MAX_OUTPUT_PIXELS, room=room())


@cache
def room() -> Room:
    """Return this process's room for pictures: one at the limits at a time, or several smaller ones."""
    keep_no_freed_memory()
    return Room(max(settings.ASSENT_MAX_PIXELS, settings.ASSENT_MAX_OUTPUT_PIXELS))
