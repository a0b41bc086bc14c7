"""What the demo tells the person who watches, and what it counts as failed."""

from dataclasses import dataclass, field


@dataclass
class Transcript:
    """Prints the story as it happens and keeps every expectation that did not hold."""

    failures: list[str] = field(default_factory=list)

    def chapter(self, number: int | str, title: str) -> None:
        """Begin a step of the scenario."""
        print(f"\n── {number}. {title}", flush=True)

    def say(self, label: str, text: object) -> None:
        """Print one fact."""
        print(f"   {label:<12} {text}", flush=True)

    def expect(self, what: str, held: bool) -> None:
        """Print whether an expectation held, and remember it if not."""
        print(f"   {'✓' if held else '✗ FAILED:'} {what}", flush=True)
        if not held:
            self.failures.append(what)
