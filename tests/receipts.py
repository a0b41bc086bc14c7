"""What tests need of receipts: what an entry says besides its receipt, and what a receipt says."""

import json
from collections.abc import Mapping
from typing import Any

from governance.audit.evidence.receipts import receipt_data
from governance.audit.models import Receipt
from governance.kernel.canonical import sha256_hex
from governance.keys.dsse import Envelope


def said_besides(entry: Mapping[str, Any]) -> dict[str, Any]:
    """Return an entry's data without what it says of its receipt, which must be there and fit."""
    receipt = Receipt.objects.get(entry_id=entry["entry_id"])
    about = receipt_data(receipt)
    assert about.items() <= entry["data"].items()
    assert about["envelope_sha256"] == sha256_hex(receipt.envelope.encode())
    return {name: value for name, value in entry["data"].items() if name not in about}


def statement_in(receipt: Receipt) -> dict[str, Any]:
    """Return the statement that was signed."""
    statement: dict[str, Any] = json.loads(Envelope.from_json(receipt.envelope).payload)
    return statement
