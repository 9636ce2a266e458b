"""How much each parameter of a sweep matters, whatever the others are."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from mlp.runs import in_words

MAX_VALUES = 8  # beyond so many, numbers are put into groups
N_GROUPS = 5  # of about equal size


def main_effects(
    columns: Mapping[str, Sequence[Any]], results: Sequence[float]
) -> dict[str, float]:
    """Return the share of the results' variance that each parameter explains by itself.

    That is ω² (Hays 1963) of the results' ranks, in [0, 1] and about 0 where a parameter has no
    influence, however many values it has; what only a combination of parameters does is in none.

    Parameters
    ----------
    columns : mapping of str to sequence
        Of each parameter its value in each run.
    results : sequence of float
        Of the same runs.

    Returns
    -------
    dict of str to float
        The largest first; without the parameters of which no value, or group of values, is
        repeated.
    """
    _, rank, counts = np.unique(results, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[rank]  # equal results share their mean rank
    shares = {}
    for key, values in columns.items():
        groups = _groups(values)
        n, k = len(ranks), len(set(groups.tolist()))
        if not 1 < k < n:
            continue
        means = {group: ranks[groups == group].mean() for group in set(groups.tolist())}
        fitted = np.array([means[group] for group in groups.tolist()])
        between, within = np.square(fitted - ranks.mean()).sum(), np.square(ranks - fitted).sum()
        noise = within / (n - k)
        shares[key] = max(0.0, float((between - (k - 1) * noise) / (between + within + noise)))
    return dict(sorted(shares.items(), key=lambda item: -item[1]))


def _groups(values: Sequence[Any]) -> np.ndarray:
    """Return the number of each value's group: of equal values or, among many, of near ones."""
    is_number = np.array([isinstance(value, int | float) for value in values])
    numbers = np.array([value for value in values if isinstance(value, int | float)], float)
    groups = np.unique([in_words(value) for value in values], return_inverse=True)[1]
    if len(np.unique(numbers)) > MAX_VALUES:
        bounds = np.quantile(numbers, np.arange(1, N_GROUPS) / N_GROUPS)
        groups = groups + N_GROUPS
        groups[is_number] = np.searchsorted(bounds, numbers)
    return groups
