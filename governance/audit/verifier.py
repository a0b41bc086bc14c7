"""The verifier's name until version 0.1; `python -m governance.transparency.verifier` is the name to use.

Kept until 1.0, so that a command written down with an old receipt still works.
"""

import sys

from governance.transparency.verifier.__main__ import main

if __name__ == "__main__":
    sys.stderr.write("Use 'python -m governance.transparency.verifier'; this name goes away with version 1.0.\n")
    sys.exit(main())
