"""The output of the demo, and its failed expectations."""

import shutil
import textwrap
from dataclasses import dataclass, field

LABEL_WIDTH = 12
LEAST_COLUMNS, MOST_COLUMNS = 50, 120


@dataclass
class Transcript:
    """Prints the steps as they happen, and keeps every expectation that did not hold."""

    failures: list[str] = field(default_factory=list)

    def chapter(self, number: int | str, title: str) -> None:
        """Begin a step of the scenario."""
        print("\n" + _wrapped(f"── {number}. {title}", "      "), flush=True)

    def say(self, label: str, text: object) -> None:
        """Print one fact, wrapped to the terminal."""
        print(_wrapped(f"   {label:<{LABEL_WIDTH}} {text}", " " * (LABEL_WIDTH + 4)), flush=True)

    def expect(self, what: str, held: bool) -> None:
        """Print whether an expectation held, and remember it if not."""
        print(_wrapped(f"   {'✓' if held else '✗ FAILED:'} {what}", "     "), flush=True)
        if not held:
            self.failures.append(what)


def _wrapped(line: str, indent: str) -> str:
    columns = shutil.get_terminal_size((MOST_COLUMNS, 24)).columns
    width = min(max(columns, LEAST_COLUMNS), MOST_COLUMNS)
    # Ids, paths and digests stay whole, so that they can be copied.
    return textwrap.fill(line, width, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)
