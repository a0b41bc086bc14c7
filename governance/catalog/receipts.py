"""What receipts of the catalogue say, in ids, digests and codes: one function for each predicate."""

from collections.abc import Mapping

from governance.audit.types import StatementParts
from governance.catalog.models import Asset, ConsentLevelVersion, Creator
from governance.kernel.canonical import Json, digest


def upload_statement(asset: Asset, facts: Mapping[str, Json]) -> StatementParts:
    """Return the statement that a work was registered; its subject is the uploaded file."""
    return {
        "statement_subject": [{"name": "upload", "digest": {"sha256": asset.sha256}}],
        "predicate": {"asset": str(asset.id), **facts},
    }


def consent_statement(creator: Creator, change: str, terms: Mapping[str, Json]) -> StatementParts:
    """Return the statement that consent was `granted` or `withdrawn`.

    Its subject is the SHA-256 of the terms as canonical JSON (RFC 8785), which the predicate holds under `terms`.
    """
    return {
        "statement_subject": [{"name": "terms", "digest": {"sha256": digest(terms)}}],
        "predicate": {"creator": str(creator.id), "change": change, "terms": dict(terms)},
    }


def erasure_statement(creator: Creator, facts: Mapping[str, Json]) -> StatementParts:
    """Return the statement that a creator's personal data was deleted.

    Its subject is the SHA-256 of the figures as canonical JSON (RFC 8785), which the predicate holds under `erased`.
    """
    return {
        "statement_subject": [{"name": "erased", "digest": {"sha256": digest(facts)}}],
        "predicate": {"creator": str(creator.id), "erased": dict(facts)},
    }


def level_version_statement(version: ConsentLevelVersion, facts: Mapping[str, Json]) -> StatementParts:
    """Return the statement that a version of a consent level came into force.

    Its subject is the SHA-256 of the new state as canonical JSON, which the predicate holds under `after`.
    """
    return {
        "statement_subject": [{"name": "consent-level-version", "digest": {"sha256": digest(facts["after"])}}],
        "predicate": {"level": version.level.slug, "version": version.number, **facts},
    }
