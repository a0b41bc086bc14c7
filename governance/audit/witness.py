"""The witness's name until version 0.1; `python -m governance.transparency.witness` is the name to use.

Kept until 1.0, so that a service set up under the old name still starts.
"""

import sys

from governance.transparency.witness.__main__ import main

if __name__ == "__main__":
    sys.stderr.write("Use 'python -m governance.transparency.witness'; this name goes away with version 1.0.\n")
    sys.exit(main())
