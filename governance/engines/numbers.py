"""The precision at which numbers are compared.

The embedded Rego engine holds two fractions for equal when they differ only past the fifteenth significant digit, and
cannot read numbers that are all but zero. So that every engine gives the same answer, fractions are decided at
fifteen digits everywhere: what IEEE 754 doubles carry faithfully from decimal text and back.
"""

SIGNIFICANT_DIGITS = 15
_NEXT_TO_NOTHING = 1e-300


def decided_number(value: float) -> float:
    """Return the number that is compared in place of `value`."""
    if abs(value) < _NEXT_TO_NOTHING:
        return 0.0
    return float(f"{value:.{SIGNIFICANT_DIGITS}g}")
