"""Write what every kind of ledger entry means to `docs/ledger.md`, or say whether the page there is current."""

import sys
from pathlib import Path

from scripts.generated import Generated, write_or_check

DOCUMENT = Generated(Path("docs/ledger.md"), ("ledger_kinds",), "ledger-docs")

if __name__ == "__main__":
    sys.exit(write_or_check(DOCUMENT, sys.argv[1:]))
