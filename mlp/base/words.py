"""Numbers and lists as they are read in a sentence."""

from collections.abc import Iterable


def counted(n: int, noun: str) -> str:
    """Return ``"1 epoch"``, ``"1,200 epochs"``."""
    return f"{n:,} {noun}" if n == 1 else f"{n:,} {noun}s"


def in_brief(names: Iterable[str], most: int = 10) -> str:
    """Return ``"a, b, c and 117 more"``."""
    names = list(names)
    more = f" and {len(names) - most:,} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
