"""Errors the user can fix: one sentence that names the key or file, and what would be right."""

from collections.abc import Iterable
from difflib import get_close_matches


class UserError(Exception):
    """Something the user can fix; shown without a traceback, exit status 2."""


class ConfigError(UserError):
    """A key, a choice or a value of the configuration is not acceptable."""


class DataError(UserError):
    """A data file is absent, damaged or not what it claims to be."""


class RunError(UserError):
    """A stored run is unknown, ambiguous, or its files are absent or damaged."""


def closest(name: str, choices: Iterable[str]) -> str:
    """Return ``"; did you mean 'x'?"`` for the choice nearest to ``name``, or an empty string."""
    by_lower = {choice.lower(): choice for choice in choices}
    match = get_close_matches(name.lower(), by_lower, n=1)
    return f"; did you mean '{by_lower[match[0]]}'?" if match else ""


def in_one_line(error: BaseException) -> str:
    """Return the message of an error without line breaks and control characters."""
    text = str(error) or type(error).__name__
    return "".join(c if c.isprintable() else " " for c in text).strip()
