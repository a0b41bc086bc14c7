"""Two key stores as one, for moving an installation's keys to another store without a gap.

The older store keeps what it has, so that its signatures still count; new keys go to the newer one. A rotation of each
purpose completes the move.
"""

from dataclasses import dataclass

from governance.keys.ring import KeyChange, KeyPlan, KeyStore, SigningKey


@dataclass(frozen=True, slots=True)
class LayeredKeyStore:
    """The keys of `older` and then those of `newer`. What is new goes to `newer`."""

    older: KeyStore
    newer: KeyStore

    def load(self) -> tuple[SigningKey, ...]:
        """Return the keys of both, those of the newer store last. Raises what either raises."""
        return (*self.older.load(), *self.newer.load())

    def generate(self, plan: KeyPlan) -> SigningKey:
        """Make a key in the newer store. Raises what that raises."""
        return self.newer.generate(plan)

    def update(self, change: KeyChange) -> None:
        """Store what `change` makes of all keys, each where it is kept, the newer store first.

        Between the two stores a change is not atomic: when the second fails, a purpose has a new key and its old one
        has no end yet; doing the same again mends that. Raises what either raises.
        """
        changed = change(self.load())
        kept_before = {key.info.key_id for key in self.older.load()}
        self.newer.update(lambda _: tuple(key for key in changed if key.info.key_id not in kept_before))
        self.older.update(lambda _: tuple(key for key in changed if key.info.key_id in kept_before))
