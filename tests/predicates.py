"""Holds every statement that Assent signs during a test against the published schema of its predicate type."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import jsonschema_rs
import pytest

from governance.audit.evidence import statements
from governance.keys.dsse import Envelope
from governance.transparency.predicates.catalogue import find_predicate, predicate_of_type


class StatementUnfit(AssertionError):
    """A statement was signed that the schema of its predicate type does not allow."""


def faults_of(payload: bytes) -> list[str]:
    """Return what is wrong with a statement (the payload of an envelope), a sentence for each fault."""
    statement = json.loads(payload)
    predicate = predicate_of_type(statement["predicateType"])
    if predicate is None:
        return [f"There is no schema for statements of type {statement['predicateType']}."]
    errors = _validator(predicate.name).iter_errors(statement)
    return [f"{predicate.name}, {_place(error)}: {error.message}" for error in errors]


@contextmanager
def signed_statements_checked() -> Iterator[None]:
    """Refuse to sign unfit statements inside the block, and fail at its end if that error was swallowed."""
    found: list[str] = []
    sign = statements.sign_envelope

    def checked(**arguments: Any) -> Envelope:
        faults = faults_of(arguments["payload"])
        found.extend(faults)
        if faults:
            raise StatementUnfit("\n".join(faults))
        return sign(**arguments)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(statements, "sign_envelope", checked)
        yield
    if found:
        raise StatementUnfit("\n".join(found))


@cache
def _validator(name: str) -> jsonschema_rs.Draft202012Validator:
    return jsonschema_rs.Draft202012Validator(find_predicate(name).schema, validate_formats=True)


def _place(error: jsonschema_rs.ValidationError) -> str:
    return "/".join(map(str, error.instance_path)) or "the statement"
