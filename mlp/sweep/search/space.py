"""Search spaces: for each key of the configuration, the values that a search may give it.

In YAML, under ``sweep.space``, and by the dotted key as on the command line::

    optimizer.lr:       {kind: float, low: 1.0e-4, high: 1.0e-1, log: true}
    trainer.batch_size: {kind: int, low: 32, high: 256, step: 32}
    optimizer:          {kind: choice, values: [adam, momentum]}
    optimizer.momentum: {kind: float, low: 0.5, high: 0.99, when: {optimizer: momentum}}
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import IntervalSweep, Override, RangeSweep

from mlp.base import ConfigError, closest
from mlp.config import construct
from mlp.sweep.search.dimensions import Choice, Dimension, Float, Int, Point, admitted

if TYPE_CHECKING:
    from optuna.trial import Trial

KINDS: dict[str, type[Dimension]] = {"choice": Choice, "int": Int, "float": Float}


@dataclass(frozen=True)
class Space:
    """The dimensions of a search, by dotted key; a condition names keys that stand before it."""

    dimensions: dict[str, Dimension]

    def __post_init__(self) -> None:
        if not self.dimensions:
            raise ConfigError(
                "sweep.space must not be empty: a search needs a key at least, as in "
                "'optimizer.lr=tag(log, interval(0.0001, 0.1))'"
            )
        before: dict[str, Dimension] = {}
        for key, dimension in self.dimensions.items():
            for parent, wanted in dimension.when.items():
                _check_condition(f"sweep.space.{key}.when", parent, wanted, before)
            before[key] = dimension

    def suggest(self, trial: "Trial") -> Point:
        """Return the point that Optuna gives to a trial."""
        point: Point = {}
        for key, dimension in self.dimensions.items():
            if dimension.applies(point):
                point[key] = dimension.suggest(trial, key)
        return point

    def part_of(self, values: Mapping[str, Any]) -> Point:
        """Return those of some values that a point may have."""
        point: Point = {}
        for key, dimension in self.dimensions.items():
            if key in values and dimension.applies(point) and dimension.has(values[key]):
                point[key] = values[key]
        return point

    def raw(self, point: Point) -> dict[str, Any]:
        """Return a point as Optuna stores it."""
        return {key: self.dimensions[key].raw(value) for key, value in point.items()}

    def grid(self) -> list[Point]:
        """Return all points.

        Raises
        ------
        ConfigError
            When there is no end of them.
        """
        points: list[Point] = [{}]
        for key, dimension in self.dimensions.items():
            try:
                values = dimension.values_on_grid()
            except ValueError as error:
                raise ConfigError(f"sweep.space.{key}.{error}") from None
            columns: list[Point] = [{key: value} for value in values]
            points = [
                point | column
                for point in points
                for column in (columns if dimension.applies(point) else [{}])
            ]
        return points

    def samples(self) -> Iterator[Point]:
        """Yield points which, if the configuration takes them, show that it takes each value."""
        for key, dimension in self.dimensions.items():
            for value in dimension.ends():
                yield self._point_with(key, value)

    def _point_with(self, key: str, value: Any) -> Point:
        """Return a point where a key has a value, and the keys it depends on have what it asks."""
        forced, waiting = {key: value}, [key]
        while waiting:
            for parent, wanted in self.dimensions[waiting.pop()].when.items():
                forced[parent] = admitted(wanted, self.dimensions[parent].values_on_grid())[0]
                waiting.append(parent)
        point: Point = {}
        for name, dimension in self.dimensions.items():
            if dimension.applies(point):
                point[name] = forced.get(name, dimension.ends()[0])
        return point


def read_space(space: Mapping[str, Any]) -> dict[str, Dimension]:
    """Return the dimensions in ``sweep.space``.

    Raises
    ------
    ConfigError
        For the first key that is unknown, of a wrong type or out of range.
    """
    return {key: _read_dimension(f"sweep.space.{key}", values) for key, values in space.items()}


def _read_dimension(place: str, values: Any) -> Dimension:
    kind = values.get("kind") if isinstance(values, Mapping) else None
    if kind not in KINDS:
        hint = closest(str(kind), KINDS)
        raise ConfigError(f"{place}.kind must be choice, int or float, got {kind!r}{hint}")
    arguments = {key: value for key, value in values.items() if key != "kind"}
    return construct(KINDS[kind], arguments, place)


def read_override(override: Override) -> Dimension:
    """Return the dimension that a word on the command line describes.

    Several values are a choice; ``range`` has steps; ``interval(0,0.5)`` is of all numbers, and
    ``int(interval(1,8))`` of whole ones; ``tag(log, ...)`` makes orders of magnitude alike.
    """
    place, sweep = f"sweep.space.{override.get_key_element()}", override.value()
    if isinstance(sweep, IntervalSweep):
        whole = isinstance(sweep.start, int) and isinstance(sweep.end, int)
        ends = {"low": sweep.start, "high": sweep.end}
        return construct(Int if whole else Float, ends | {"log": "log" in sweep.tags}, place)
    words = [f"key={text}" for text in override.sweep_string_iterator()]
    values: list[Any] = [
        parsed.value() for parsed in OverridesParser.create().parse_overrides(words)
    ]
    if isinstance(sweep, RangeSweep) and values:
        whole = all(isinstance(value, int) for value in values)
        arguments = {"low": min(values), "high": max(values), "step": abs(sweep.step)}
        return construct(Int if whole else Float, arguments, place)
    return construct(Choice, {"values": values}, place)


def _check_condition(place: str, parent: str, wanted: Any, before: dict[str, Dimension]) -> None:
    if not isinstance(before.get(parent), Choice):
        known = [key for key, dimension in before.items() if isinstance(dimension, Choice)]
        raise ConfigError(
            f"{place} names '{parent}', which is not a choice that stands before it in the space"
            + (closest(parent, known) or f" (there are: {', '.join(known) or 'none'})")
        )
    values = before[parent].values_on_grid()
    if not admitted(wanted, values):
        raise ConfigError(f"{place}.{parent} must be one of {values}, got {wanted!r}")
