"""What the decisions area needs from the areas above it."""

from governance.decisions.cache import DecisionCache
from governance.kernel.ports import Port

#: Kinds of obligations that the workers can carry out. A permit with any other kind becomes a denial.
supported_obligations: Port[frozenset[str]] = Port("supported_obligations")

#: Answers kept in this process.
decision_cache: Port[DecisionCache] = Port("decision_cache")
