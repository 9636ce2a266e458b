"""Settings compared by pairs of trainings with equal seeds.

Only like is compared with like: the same data, the same rows to measure on, the same metric.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations, product
from statistics import fmean
from typing import Any

import numpy as np

from mlp.base import RunError
from mlp.runs.paired_tests import ALPHA, Difference, crossed_t, holm, mcnemar, paired_t
from mlp.runs.sides import Repeat, Side
from mlp.training import higher_is_better

Pair = tuple[Repeat, Repeat]


@dataclass(frozen=True)
class Comparison:
    """What the runs of two sides say about which of them is better.

    Attributes
    ----------
    better, worse : str
        Their names, by the mean of what was measured.
    metric : str
        ``test/accuracy``, ``val/loss``; of single runs with numbers as targets ``squared error``.
    difference : Difference
        Its p is corrected for ``n_compared`` comparisons.
    pairs : sequence of tuple of Repeat
    n_left_out : int
        Runs without a partner of equal seed and fold.
    n_rows : int or None
        Of the rows that all pairs were measured on; None if each has rows of its own.
    new_rows : bool
        Whether the difference is of other rows, too, and not of these alone.
    n_compared : int
        How many comparisons were made at once, or these are chosen from by their ranks.
    n_apart : tuple of int or None
        In how many pairs McNemar's test, corrected by Holm's method, says that the network of
        ``better`` is the better one, and in how many that of ``worse`` is; None unless the
        predictions are stored.
    """

    better: str
    worse: str
    metric: str
    difference: Difference
    pairs: Sequence[Pair]
    n_left_out: int = 0
    n_rows: int | None = None
    new_rows: bool = False
    n_compared: int = 1
    n_apart: tuple[int, int] | None = None

    @property
    def splits(self) -> set[tuple[str, str]]:
        """The splits that the pairs train on."""
        return set(map(_split, self.pairs))


def compare_sides(sides: Sequence[Side], metric: str | None = None) -> list[Comparison]:
    """Compare each two of some sides, and correct the p-values for their number (Holm 1979).

    Two single runs are compared by their predictions on the test rows; otherwise the unit is the
    seed or, with several splits, the split. Settings chosen by their ranks are corrected for all
    pairs that they were chosen from.

    Parameters
    ----------
    sides : sequence of Side
        At least two.
    metric : str, optional
        Of several seeds. Default: the accuracy on the test set if all runs were tested, otherwise
        what they monitored, on the test set or else at the best epoch.

    Raises
    ------
    RunError
        When two of them are not alike in what a comparison needs.
    """
    two = [(a, b, _pairs(a, b)) for a, b in combinations(sides, 2)]
    if any(len(pairs) > 1 for *_, pairs in two):
        metric = metric or _common_metric([run for side in sides for run in side.runs])
    found = [
        _by_predictions(a, b, pairs[0]) if len(pairs) == 1 else _by_seeds(a, b, pairs, str(metric))
        for a, b, pairs in two
    ]
    n_compared = len(set().union(*(_chosen_from(a, b) for a, b, _ in two)))
    corrected = holm([comparison.difference.p for comparison in found], n_compared)
    return [
        replace(one, difference=replace(one.difference, p=p), n_compared=n_compared)
        for one, p in zip(found, corrected, strict=True)
    ]


def _chosen_from(a: Side, b: Side) -> set[Any]:
    """Return the pairs of settings that two sides were chosen from by their ranks.

    Those of a sweep that lie between: the first and the last of many equal settings are the ends of
    a wide range, but two neighbours are no farther apart than any two.
    """
    if a.sweep and a.sweep == b.sweep:
        first, last = sorted((a.rank, b.rank))
        between = [(a.sweep, rank) for rank in range(first, last + 1)]
        return set(map(frozenset, combinations(between, 2)))
    candidates = [
        [(side.sweep or side.name, rank) for rank in range(1, side.n_settings + 1)]
        for side in (a, b)
    ]
    return set(map(frozenset, product(*candidates)))


def _pairs(a: Side, b: Side) -> list[Pair]:
    """Return the pairs of equal seeds and folds; two single runs are a pair whatever theirs are."""
    by_repetition = {run.repetition: run for run in b.runs}
    pairs = [
        (run, by_repetition[run.repetition]) for run in a.runs if run.repetition in by_repetition
    ]
    if len(a.runs) == len(b.runs) == 1:
        pairs = [(a.runs[0], b.runs[0])]
    elif len(pairs) < 2:
        raise RunError(
            f"{a.name} and {b.name} have {'one' if pairs else 'no'} seed in common, and settings "
            "are compared by two or more equal seeds"
        )
    for one, other in pairs:
        if one.record.data.digest != other.record.data.digest:
            raise RunError(f"{a.name} and {b.name} have different data, and are not compared")
        if one.record.limited or other.record.limited:
            raise RunError(
                f"{a.name} or {b.name} was cut short by limit_batches or overfit_batches, and they "
                "are not compared"
            )
    return pairs


def _common_metric(runs: Sequence[Repeat]) -> str:
    """Return what all runs can be compared by."""
    results = [run.record.final_metrics for run in runs]
    if all("test/accuracy" in own for own in results):
        return "test/accuracy"
    monitors = sorted({run.record.monitor for run in runs})
    if len(monitors) > 1:
        raise RunError(
            f"the runs monitored different metrics, {' and '.join(monitors)}: choose what they are "
            f"compared by, as in --metric {monitors[0]}"
        )
    tested = f"test/{monitors[0].rpartition('/')[2]}"
    return tested if all(tested in own for own in results) else monitors[0]


def _by_seeds(a: Side, b: Side, pairs: Sequence[Pair], metric: str) -> Comparison:
    """Compare the means of a metric, over splits if there are several, otherwise over seeds."""
    part = metric.partition("/")[0]
    splits = set(map(_split, pairs))
    by_unit, rows = defaultdict(list), set()
    for one, other in pairs:
        _check_alike(one, other, metric)
        unit = _split((one, other)) if len(splits) > 1 else one.repetition
        by_unit[unit].append((one, other))
        rows.add(one.test_rows if part == "test" else one.record.data.split)
    data = pairs[0][0].record.data
    n_rows = {"val": data.n_val, "test": data.n_test}.get(part, 0)
    has_predictions = metric == "test/accuracy" and all(map(_have_predictions, pairs))
    new_rows = has_predictions and len(rows) == 1 and n_rows > 1
    if new_rows:
        by_row = [
            np.mean([one.right.astype(float) - other.right for one, other in own], axis=0)
            for own in by_unit.values()
        ]
        difference = crossed_t(np.array(by_row))
    else:
        means = [fmean(_advantage(pair, metric) for pair in own) for own in by_unit.values()]
        difference = paired_t(means, n_rows / data.n_train if len(rows) > 1 else 0.0)
    return _ordered(
        a,
        b,
        Comparison(
            *("", "", metric, difference, pairs),
            n_rows=n_rows if len(rows) == 1 else None,
            new_rows=new_rows,
            n_apart=_n_apart(pairs) if has_predictions else None,
        ),
    )


def _advantage(pair: Pair, metric: str) -> float:
    """Return by how much the first run is the better one."""
    one, other = (run.record.final_metrics[metric] for run in pair)
    return one - other if higher_is_better(metric) else other - one


def _split(pair: Pair) -> tuple[str, str]:
    one, other = pair
    return one.record.data.split, other.record.data.split


def _by_predictions(a: Side, b: Side, pair: Pair) -> Comparison:
    """Compare two networks on the rows that both were tested on."""
    for run in pair:
        if run.record.test is None or not run.folder.test_predictions.exists():
            raise RunError(
                f"two single trainings are compared by what they predict on the test set, and "
                f"{run.record.name} was not tested: mlp evaluate {run.record.id[:8]}"
            )
    numbers = bool(pair[0].record.data.targets)
    _check_alike(*pair, "test/rmse" if numbers else "test/accuracy")
    _check_labels(*pair)
    if not numbers:
        metric, difference = "test/accuracy", mcnemar(pair[0].right, pair[1].right)
    else:
        errors = [(np.subtract(*run.predictions) ** 2).mean(axis=1) for run in pair]
        metric, difference = "squared error", paired_t(errors[1] - errors[0])
    n_rows = len(pair[0].predictions[0])
    found = Comparison("", "", metric, difference, [pair], n_rows=n_rows, new_rows=True)
    return _ordered(a, b, found)


def _have_predictions(pair: Pair) -> bool:
    """Tell whether both runs' predictions are stored; RunError unless they are of the same rows."""
    if not all(run.folder.test_predictions.exists() for run in pair):
        return False
    _check_labels(*pair)
    return True


def _check_labels(one: Repeat, other: Repeat) -> None:
    if not _equal(one.predictions[0], other.predictions[0]):
        names = f"{one.record.name} and {other.record.name}"
        raise RunError(f"{names} were tested on different rows, and are not compared")


def _equal(labels: np.ndarray, others: np.ndarray) -> bool:
    """Tell whether labels are the same; numbers have been scaled and back, and differ a little."""
    if labels.shape != others.shape or labels.ndim == 1:
        return np.array_equal(labels, others)
    return bool((np.abs(labels - others) <= 1e-5 * (np.abs(labels) + labels.std(axis=0))).all())


def _n_apart(pairs: Sequence[Pair]) -> tuple[int, int]:
    """Return in how many pairs McNemar's test says that the first, and the second, is better."""
    found = [mcnemar(one.right, other.right) for one, other in pairs]
    corrected = holm([each.p for each in found])
    signs = [np.sign(each.mean) for each, p in zip(found, corrected, strict=True) if p < ALPHA]
    return signs.count(1), signs.count(-1)


def _check_alike(one: Repeat, other: Repeat, metric: str) -> None:
    """Raise RunError unless a metric of two runs is of the same rows and the same loss."""
    a, b = one.record, other.record
    for record in (a, b):
        if metric not in record.final_metrics:
            raise RunError(f"{record.name} has no {metric}")
    if metric.startswith("test/"):
        alike, rows = one.test_rows == other.test_rows, "were tested on"
    else:
        alike, rows = a.data.split == b.data.split, "validate on"
    if not alike:
        raise RunError(f"{a.name} and {b.name} {rows} different rows, and are not compared")
    if metric.endswith("loss") and a.model.loss != b.model.loss:
        raise RunError(
            f"{a.name} and {b.name} have different losses, whose values are not compared: choose "
            "--metric val/accuracy"
        )


def _ordered(a: Side, b: Side, comparison: Comparison) -> Comparison:
    """Name the sides, the better one first, and count the runs that are in no pair."""
    n_left_out = len(a.runs) + len(b.runs) - 2 * len(comparison.pairs)
    if comparison.difference.mean < 0:
        a, b = b, a
        n_apart = comparison.n_apart and comparison.n_apart[::-1]
        reverse = comparison.difference.reversed()
        comparison = replace(comparison, difference=reverse, n_apart=n_apart)
    return replace(comparison, better=a.name, worse=b.name, n_left_out=n_left_out)
