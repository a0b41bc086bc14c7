"""Write the OpenAPI document of the code to `docs/openapi.yaml`, or say whether the one there is current."""

import sys
from pathlib import Path

from scripts.generated import Generated, write_or_check

DOCUMENT = Generated(Path("docs/openapi.yaml"), ("spectacular", "--validate", "--fail-on-warn"), "openapi")

if __name__ == "__main__":
    sys.exit(write_or_check(DOCUMENT, sys.argv[1:]))
