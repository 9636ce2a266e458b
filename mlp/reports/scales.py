"""Where values lie on an axis, so that they can be told apart."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mlp.reports.style import shortened
from mlp.runs import in_words

MOST_PLACES = 8  # values up to which each has a place of its own
FEW = 4  # up to which that holds also where no value comes twice, as in a search


@dataclass(frozen=True)
class Scale:
    """Where the values of a parameter lie on its axis, from 0 to 1, and what is written there."""

    places: Sequence[float]
    ticks: Sequence[float]
    labels: Sequence[str]


def scale(values: Sequence[Any]) -> Scale:
    """Lay out a parameter's values: many numbers by size, anything else evenly.

    Where a parameter of many numbers is a word or absent, that has its place below them.
    """
    words = {in_words(value): value for value in values}
    numbers = {word: value for word, value in words.items() if _is_number(value)}
    others = sorted(words.keys() - numbers.keys(), key=lambda word: (len(word), word))
    drawn = len(numbers) == sum(map(_is_number, values))
    if len(numbers) > (FEW if drawn else MOST_PLACES):
        by_size, foot = number_scale(list(numbers.values())), 0.12 * len(others)
        raised = [foot + (1 - foot) * np.array(x) for x in (by_size.places, by_size.ticks)]
        places = {word: 0.12 * i for i, word in enumerate(others)}
        ticks = [*places.values(), *raised[1].tolist()]
        labels = [*others, *by_size.labels]
        places |= zip(numbers, raised[0].tolist(), strict=True)
    else:
        labels = [*sorted(numbers, key=lambda word: numbers[word]), *others]
        ticks = np.linspace(0, 1, len(labels)).tolist()
        places = dict(zip(labels, ticks, strict=True))
    return Scale([places[in_words(v)] for v in values], ticks, [shortened(x) for x in labels])


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


def without_outliers(values: Sequence[float]) -> tuple[np.ndarray, np.ndarray]:
    """Bring the worst values so near that the others can be told apart.

    Parameters
    ----------
    values : sequence of float
        The best first, so that the direction shows.

    Returns
    -------
    clipped : ndarray of shape (n,), float64
        Not further from the best than four times the median is.
    beyond : ndarray of shape (n,), bool
        Which ones were.
    """
    distances = np.array(values) - values[0]
    reach = 4 * np.median(np.abs(distances)) or np.inf
    beyond = np.abs(distances) > reach
    return values[0] + np.clip(distances, -reach, reach), beyond
