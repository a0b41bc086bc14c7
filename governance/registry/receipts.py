"""What receipts of the model registry say: predicate `licence-version/v1`."""

from collections.abc import Mapping

from governance.audit.types import StatementParts
from governance.kernel.canonical import Json, digest
from governance.registry.models import LicenceVersion


def licence_version_statement(version: LicenceVersion, facts: Mapping[str, Json]) -> StatementParts:
    """Return the statement that a version of a licence came into force.

    Its subject is the SHA-256 of the new state as canonical JSON, which the predicate holds under `after`.
    """
    return {
        "statement_subject": [{"name": "licence-version", "digest": {"sha256": digest(facts["after"])}}],
        "predicate": {"licence": version.licence.slug, "version": version.number, **facts},
    }
