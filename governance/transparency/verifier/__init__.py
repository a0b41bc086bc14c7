"""The offline verifier: judges a receipt with nothing but the receipt, a trust file and, if wanted, the artifact.

It uses no network, no database and no Django, so that those who rely on receipts can read and run it by itself:
`python -m governance.transparency.verifier RECEIPT --artifact FILE --trust TRUST`. What the files hold is told, field
by field, in docs/receipts.md. Read `checks.py` first: it is the list of what is checked, in order.
"""

from governance.transparency.verifier.checks import verify
from governance.transparency.verifier.verdict import Outcome, Status, Step, Verdict

__all__ = ["Outcome", "Status", "Step", "Verdict", "verify"]
