"""What text that people enter may look like, before it goes on record."""


def is_line(text: str, *, most: int) -> bool:
    """Return whether `text` is one line of 1 to `most` printable characters, not blank."""
    return bool(text.strip()) and len(text) <= most and text.isprintable()


def is_prose(text: str, *, most: int) -> bool:
    """Return whether `text` has at most `most` characters, all printable but line breaks and tabs."""
    return len(text) <= most and text.translate({ord(each): None for each in "\n\r\t"}).isprintable()
