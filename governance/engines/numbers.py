"""How exactly numbers are compared.

The embedded Rego engine holds two fractions for equal when they differ only past the fifteenth significant digit. So
that every engine gives the same answer, fractions are decided at fifteen digits everywhere: what IEEE 754 doubles
carry faithfully from decimal text and back. It cannot read numbers below the least normal double: they count as 0.
"""

import sys

SIGNIFICANT_DIGITS = 15


def decided_number(value: float) -> float:
    """Return the number that is compared in place of `value`."""
    if abs(value) < sys.float_info.min:
        return 0.0
    return float(f"{value:.{SIGNIFICANT_DIGITS}g}")
