"""What text that people enter may look like, before it goes on record, and what they may have meant."""

import difflib
from collections.abc import Iterable


def is_line(text: str, *, most: int) -> bool:
    """Return whether `text` is one line of 1 to `most` printable characters, not blank."""
    return bool(text.strip()) and len(text) <= most and text.isprintable()


def is_prose(text: str, *, most: int) -> bool:
    """Return whether `text` has at most `most` characters, all printable but line breaks and tabs."""
    return len(text) <= most and text.translate({ord(each): None for each in "\n\r\t"}).isprintable()


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return ' Did you mean …?' with the nearest known word, or an empty string."""
    near = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f" Did you mean '{near[0]}'?" if near else ""
