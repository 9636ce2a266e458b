"""Positions of a parameter's values, numbers or words, on an axis from 0 to 1."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mlp.reports.figure_style import truncated
from mlp.runs import in_words

MAX_EVEN = 8  # up to so many different values are spaced evenly
FEW = 4  # the same where no value occurs twice, as in a search
STEP = 0.12  # between the words below the numbers


@dataclass(frozen=True)
class Scale:
    """Where the values of a parameter lie on its axis, from 0 to 1, and its tick labels."""

    places: Sequence[float]
    ticks: Sequence[float]
    labels: Sequence[str]


def scale(values: Sequence[Any]) -> Scale:
    """Lay out a parameter's values: many numbers by size, anything else evenly.

    Words, and the mark of an absent value, lie below the numbers.
    """
    named = {in_words(value): value for value in values}
    numbers = {name: value for name, value in named.items() if _is_number(value)}
    words = sorted(named.keys() - numbers.keys(), key=lambda word: (len(word), word))
    sampled = len(numbers) == sum(map(_is_number, values))
    if len(numbers) > (FEW if sampled else MAX_EVEN):
        by_size, bottom = number_scale(list(numbers.values())), STEP * len(words)
        below = {word: STEP * i for i, word in enumerate(words)}
        above = [bottom + (1 - bottom) * place for place in by_size.places]
        places = below | dict(zip(numbers, above, strict=True))
        ticks = [*below.values(), *(bottom + (1 - bottom) * tick for tick in by_size.ticks)]
        labels = [*words, *by_size.labels]
    else:
        labels = [*sorted(numbers, key=lambda name: numbers[name]), *words]
        ticks = np.linspace(0, 1, len(labels)).tolist()
        places = dict(zip(labels, ticks, strict=True))
    return Scale([places[in_words(v)] for v in values], ticks, [truncated(x) for x in labels])


def number_scale(values: Sequence[float]) -> Scale:
    """Lay out numbers by their size, or by its logarithm if most of them are near the lower end."""
    from matplotlib.ticker import LogLocator, MaxNLocator

    low, high = min(values), max(values)
    logarithmic = low > 0 and np.median(values) - low < 0.2 * (high - low)
    locator = LogLocator(subs=(1.0, 3.0)) if logarithmic else MaxNLocator(5, steps=[1, 2, 5, 10])
    ticks = [float(tick) for tick in locator.tick_values(low, high) if low <= tick <= high]
    size = np.log10 if logarithmic else np.asarray
    span = (size(high) - size(low)) or 1.0
    places, where = ((size(v) - size(low)) / span for v in (values, ticks))
    return Scale(places.tolist(), where.tolist(), [in_words(tick) for tick in ticks])


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def clip_outliers(values: Sequence[float]) -> tuple[np.ndarray, np.ndarray]:
    """Clip the worst values, so that the others remain distinguishable.

    Parameters
    ----------
    values : sequence of float
        The best first, so that the direction shows.

    Returns
    -------
    clipped : ndarray of shape (n,), float64
        No further from the best than four times the median is.
    outliers : ndarray of shape (n,), bool
        Which values were clipped.
    """
    distances = np.array(values) - values[0]
    reach = 4 * np.median(np.abs(distances)) or np.inf
    return values[0] + np.clip(distances, -reach, reach), np.abs(distances) > reach
