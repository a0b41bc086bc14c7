"""How many examples the tests by generated examples try: few in every run, many in `make test-all`.

ASSENT_TEST_EFFORT=long asks for the many. Nothing of it depends on how fast the machine is: no example has a deadline.
"""

import os

from hypothesis import HealthCheck, settings

LONG = os.environ.get("ASSENT_TEST_EFFORT") == "long"
TIMES_AS_MANY = 10


def examples(few: int = 100) -> int:
    """Return `few`, or ten times as many in a long run."""
    return few * TIMES_AS_MANY if LONG else few


settings.register_profile(
    "assent", deadline=None, max_examples=examples(), suppress_health_check=[HealthCheck.too_slow], print_blob=True
)
settings.load_profile("assent")
