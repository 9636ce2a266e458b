"""Range checks for constructors: ``positive(lr=self.lr)`` passes, or raises a sentence.

Every check takes its fields by keyword, so that the message can name them, and refuses what is
not a finite number: NaN, infinity, None, text.
"""

from collections.abc import Callable
from math import isfinite
from numbers import Real


def positive(**fields: float) -> None:
    """Raise ValueError unless each field is greater than 0."""
    _require(fields, lambda value: value > 0, "greater than 0")


def at_least(low: float, **fields: float) -> None:
    """Raise ValueError unless each field is ``low`` or more."""
    _require(fields, lambda value: value >= low, f"at least {low}")


def fraction(**fields: float) -> None:
    """Raise ValueError unless 0 <= field < 1, as for a momentum or a dropout rate."""
    _require(fields, lambda value: 0 <= value < 1, "at least 0 and below 1")


def between(low: float, high: float, **fields: float) -> None:
    """Raise ValueError unless low < field < high, both ends excluded."""
    _require(fields, lambda value: low < value < high, f"between {low} and {high}")


def _require(fields: dict[str, float], accepts: Callable[[float], bool], what: str) -> None:
    for name, value in fields.items():
        if not (isinstance(value, Real) and isfinite(value) and accepts(value)):
            raise ValueError(f"{name} must be {what}, got {value!r}")
