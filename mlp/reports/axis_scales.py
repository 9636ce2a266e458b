"""Positions of a parameter's values, numbers or words, on an axis from 0 to 1."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mlp.reports.figure_style import truncated
from mlp.runs import in_words

MAX_EVEN = 8  # up to so many different values each have a tick
FEW = 4  # the same where no value occurs twice, as in a search
BEYOND = 1.15  # times as far as the last of the others an outlier is drawn
STEP = 0.12  # between words, and at least between values that lie by size and have a tick each


@dataclass(frozen=True)
class Scale:
    """Where the values of a parameter lie on its axis, from 0 to 1, and its tick labels."""

    places: Sequence[float]
    ticks: Sequence[float]
    labels: Sequence[str]


def scale(values: Sequence[Any], log: bool | None = None) -> Scale:
    """Lay out a parameter's values: numbers by size, words evenly below them.

    A few numbers have a tick each, and lie evenly where these would be too close to each other.

    Parameters
    ----------
    values : sequence
        Words, or the mark of an absent value, among them.
    log : bool, optional
        Whether the numbers come from a range, and are spread over it by their logarithm.
    """
    named = {in_words(value): value for value in values}
    numbers = {name: value for name, value in named.items() if _is_number(value)}
    names = sorted(numbers, key=lambda name: numbers[name])
    words = sorted(named.keys() - numbers.keys(), key=lambda word: (len(word), word))
    sampled = log is not None or len(numbers) == sum(map(_is_number, values)) > FEW
    if numbers and (sampled or len(numbers) > MAX_EVEN):
        by_size, bottom = number_scale([numbers[name] for name in names], log), STEP * len(words)
        below = {word: STEP * i for i, word in enumerate(words)}
        above = [bottom + (1 - bottom) * place for place in by_size.places]
        places = below | dict(zip(names, above, strict=True))
        ticks = [*below.values(), *(bottom + (1 - bottom) * tick for tick in by_size.ticks)]
        labels = [*words, *by_size.labels]
    else:
        labels = [*names, *words]
        ticks = np.linspace(0, 1, len(labels)).tolist()
        if len(names) > 2 and not words:
            by_size = number_scale([numbers[name] for name in names])
            ticks = list(by_size.places) if np.diff(by_size.places).min() >= STEP else ticks
        places = dict(zip(labels, ticks, strict=True))
    return Scale([places[in_words(v)] for v in values], ticks, [truncated(x) for x in labels])


def number_scale(values: Sequence[float], log: bool | None = None) -> Scale:
    """Lay out numbers by their size, or by its logarithm.

    By its logarithm if ``log``, and without it if they spread over a decade more evenly so.
    """
    low, high = float(min(values)), float(max(values))
    if log is None:
        log = 0 < 10 * low <= high and _centred(np.log(values)) < _centred(np.array(values))
    log = log and low > 0  # a search also tries the defaults, and they may lie outside its range
    size = np.log10 if log else np.asarray
    span = (size(high) - size(low)) or 1.0
    ticks = _ticks(low, high, bool(log))
    places, where = ((size(v) - size(low)) / span for v in (values, ticks))
    return Scale(places.tolist(), where.tolist(), [in_words(tick) for tick in ticks])


def _centred(values: np.ndarray) -> float:
    """Return how far the median is from the middle, as a share of the range."""
    low, high = values.min(), values.max()
    return float(abs((np.median(values) - low) / (high - low) - 0.5))


def _ticks(low: float, high: float, log: bool) -> list[float]:
    """Return a few round numbers from ``low`` to ``high``."""
    from matplotlib.ticker import LogLocator, MaxNLocator

    def within(locator: LogLocator | MaxNLocator) -> list[float]:
        return [float(tick) for tick in locator.tick_values(low, high) if low <= tick <= high]

    if log:
        decades = np.log10(high / low)
        subs = (1, 2, 5) if decades < 2 else (1, 3) if decades < 4 else (1,)
        if len(ticks := within(LogLocator(subs=subs))) > 1:
            return ticks
    return within(MaxNLocator(5, steps=[1, 2, 5, 10]))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def clip_outliers(values: Sequence[float] | np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Clip the worst values, so that the others remain distinguishable.

    Parameters
    ----------
    values : sequence of float, or ndarray of shape (n,)
        The best first, so that the direction shows.

    Returns
    -------
    clipped : ndarray of shape (n,), float64
        Outliers lie a little beyond the others.
    outliers : ndarray of shape (n,), bool
        Which values are further from the best than four times the median is.
    """
    distances = np.array(values) - values[0]
    reach = 4 * np.median(np.abs(distances)) or np.inf
    outliers = np.abs(distances) > reach
    end = min(reach, BEYOND * np.abs(distances[~outliers]).max())
    return values[0] + np.where(outliers, np.sign(distances) * end, distances), outliers
