"""The offline verifier: verifies a receipt from the receipt, a trust file and, if given, the artifact alone.

It uses no network, no database and no Django, so that those who rely on receipts can read and run it by itself:
`python -m governance.transparency.verifier RECEIPT --artifact FILE --trust TRUST`. The fields of the files are in
docs/receipts.md. Read `checks.py` first: it lists the checks, in order.
"""

from governance.transparency.verifier.checks import verify
from governance.transparency.verifier.verdict import Outcome, Status, Step, Verdict

__all__ = ["Outcome", "Status", "Step", "Verdict", "verify"]
