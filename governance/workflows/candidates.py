"""Candidate outputs: the bytes of a model that are not released yet."""

from functools import partial

from django.core.files.base import ContentFile
from django.core.files.storage import storages
from django.db import transaction

from governance.jobs.models import Job, OutputCandidate
from governance.jobs.types import Lease
from governance.kernel.canonical import sha256_hex
from governance.kernel.errors import IntegrityFault


class CandidateAltered(IntegrityFault):
    """The stored bytes of an unreleased output are missing, or differ from what the model made."""

    code = "candidate_altered"


def store_candidate(*, lease: Lease, image: bytes) -> str:
    """Store unreleased bytes under a name unique to this job and lease, and return the name."""
    name: str = storages["objects"].save(f"candidates/{lease.job_id}/{lease.fencing_token}", ContentFile(image))
    return name


def read_candidate(candidate: OutputCandidate) -> bytes:
    """Return the bytes of a candidate. Raises CandidateAltered when they differ from what the model made."""
    try:
        with storages["objects"].open(candidate.object_name) as stream:
            image = stream.read()
    except FileNotFoundError as error:
        raise CandidateAltered("The unreleased output is missing from storage.") from error
    if sha256_hex(image) != candidate.sha256:
        raise CandidateAltered("The unreleased output was altered in storage.")
    return bytes(image)


def discard_candidate_on_commit(job: Job) -> None:
    """Remove a job's unreleased bytes once the transaction commits."""
    for candidate in OutputCandidate.objects.filter(job=job):
        transaction.on_commit(partial(discard_stored, candidate.object_name), robust=True)


def discard_stored(name: str) -> None:
    """Remove unreleased bytes whose lease was lost before they were recorded."""
    storages["objects"].delete(name)
