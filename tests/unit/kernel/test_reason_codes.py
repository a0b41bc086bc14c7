"""The built-in reasons."""

import json
import re

import pytest

from governance.kernel.reason_codes import ReasonCode


@pytest.mark.parametrize("reason", ReasonCode)
def test_a_reason_has_a_code_for_programs_and_a_sentence_for_people(reason: ReasonCode) -> None:
    assert re.fullmatch(r"[a-z]+(_[a-z]+)*", reason)
    assert re.fullmatch(r"[A-Z].*\.", reason.sentence)


def test_a_reason_is_its_code() -> None:
    assert ReasonCode("lease_expired") is ReasonCode.LEASE_EXPIRED
    assert json.dumps([ReasonCode.LEASE_EXPIRED]) == '["lease_expired"]'
    assert f"{ReasonCode.LEASE_EXPIRED}" == "lease_expired"
