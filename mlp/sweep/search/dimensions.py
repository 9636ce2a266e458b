"""The dimensions of a search space: a choice of values, whole numbers, real numbers."""

import json
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from math import isfinite
from typing import TYPE_CHECKING, Any

from mlp.base import positive

if TYPE_CHECKING:
    from optuna.trial import Trial

Point = dict[str, Any]  # a value for each key that applies


class Dimension(ABC):
    """The values that one key may have.

    Attributes
    ----------
    when : dict
        It applies only where these other keys, each a choice, have this value, or one of a list.
    """

    when: dict[str, Any]

    @abstractmethod
    def suggest(self, trial: "Trial", key: str) -> Any:
        """Return the value that Optuna gives to a key in a trial."""

    def raw(self, value: Any) -> Any:
        """Return a value as Optuna stores it."""
        return value

    @abstractmethod
    def values_on_grid(self) -> list[Any]:
        """Return all values; ValueError if there is no end of them."""

    def ends(self) -> list[Any]:
        """Return values such that, if the configuration takes them, it takes all."""
        return self.values_on_grid()

    @abstractmethod
    def has(self, value: Any) -> bool:
        """Tell whether a value is one of its."""

    def in_words(self) -> list[Any]:
        """Return what a plan says of it."""
        return self.values_on_grid()

    def applies(self, point: Point) -> bool:
        """Tell whether the key has a value at all where others have those of ``point``."""
        return all(
            key in point and point[key] in admitted(wanted, [point[key]])
            for key, wanted in self.when.items()
        )


@dataclass(frozen=True)
class Choice(Dimension):
    """One of some values, between which there is no order."""

    values: list[Any]
    when: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.values:
            raise ValueError("values must not be empty")
        texts = [json.dumps(value) for value in self.values]
        if len(set(texts)) < len(texts):
            raise ValueError(f"values must differ, got {self.values}")

    def suggest(self, trial: "Trial", key: str) -> Any:
        """Return one of the values; Optuna knows them as text, for it stores no lists."""
        return json.loads(trial.suggest_categorical(key, [json.dumps(v) for v in self.values]))

    def raw(self, value: Any) -> str:
        """Return a value as JSON, as it is written in the list: 0 and not 0.0."""
        return json.dumps(self.values[self.values.index(value)])

    def values_on_grid(self) -> list[Any]:
        """Return the values."""
        return list(self.values)

    def has(self, value: Any) -> bool:
        """Tell whether a value is one of them."""
        return value in self.values


@dataclass(frozen=True)
class _Range(Dimension):
    """Numbers from ``low`` to ``high``, both included."""

    low: Any
    high: Any
    step: Any = None
    log: bool = False
    when: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.low <= self.high:
            raise ValueError(f"low must be at most high, {self.high:g}, got {self.low:g}")
        if not isfinite(self.high - self.low):
            raise ValueError("low and high must be finite")
        if self.log and self.low <= 0:
            raise ValueError(f"low must be greater than 0 for log, got {self.low:g}")
        if self.step is not None:
            positive(step=self.step)
            if self.log:
                raise ValueError("step must be null for log")

    def ends(self) -> list[Any]:
        return [self.low, self.high]

    def has(self, value: Any) -> bool:
        if not isinstance(value, int | float) or not self.low <= value <= self.high:
            return False
        return self.step is None or value in self.values_on_grid()

    def in_words(self) -> list[Any]:
        log = ", log" if self.log else ""
        step = f", step {self.step:g}" if self.step is not None else ""
        return [f"{self.low:g} to {self.high:g}{log}{step}"]


@dataclass(frozen=True)
class Int(_Range):
    """Whole numbers from ``low`` to ``high``, both included; ``log`` makes small ones likelier."""

    low: int
    high: int
    step: int | None = None

    def suggest(self, trial: "Trial", key: str) -> int:
        """Return one of the numbers."""
        high = self.high - (self.high - self.low) % (self.step or 1)
        return trial.suggest_int(key, self.low, high, step=self.step or 1, log=self.log)

    def has(self, value: Any) -> bool:
        """Tell whether a value is one of the numbers."""
        return isinstance(value, int) and super().has(value)

    def values_on_grid(self) -> list[int]:
        """Return the numbers."""
        if self.log:
            raise ValueError("log must be false for a grid")
        return list(range(self.low, self.high + 1, self.step or 1))


@dataclass(frozen=True)
class Float(_Range):
    """Numbers from ``low`` to ``high``, both included; ``log`` makes orders of magnitude alike.

    They are rounded to six significant digits, so that a person can type them again.
    """

    low: float
    high: float
    step: float | None = None

    def suggest(self, trial: "Trial", key: str) -> float:
        """Return one of the numbers."""
        high = self.high if self.step is None else self._tidy(self.low + self._n_steps * self.step)
        return self._tidy(trial.suggest_float(key, self.low, high, step=self.step, log=self.log))

    def values_on_grid(self) -> list[float]:
        """Return the numbers."""
        if self.step is None:
            raise ValueError("step must be given for a grid")
        return [self._tidy(self.low + i * self.step) for i in range(self._n_steps + 1)]

    @property
    def _n_steps(self) -> int:
        assert self.step is not None
        return int((self.high - self.low) / self.step + 1e-9)

    def _tidy(self, value: float) -> float:
        return min(max(float(f"{value:.6g}"), self.low), self.high)


def admitted(wanted: Any, values: list[Any]) -> list[Any]:
    """Return those of some values that a condition admits: it names one, or lists several."""
    several = wanted if isinstance(wanted, list) else []
    return [value for value in values if value == wanted or value in several]
