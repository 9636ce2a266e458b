"""Settings compared by pairs of trainings with equal seeds.

Only like is compared with like: the same data, the same rows to measure on, the same metric.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import combinations
from statistics import fmean
from typing import Any, NamedTuple

import numpy as np

from mlp.base import RunError
from mlp.runs.evaluations import read_predictions
from mlp.runs.folder import RunFolder, read_config, read_training
from mlp.runs.paired_tests import ALPHA, Difference, holm, mcnemar, paired_t
from mlp.runs.record import RunRecord
from mlp.training import higher_is_better


class Repetition(NamedTuple):
    """Which of a setting's trainings a run is."""

    seed: int
    split_seed: int
    fold: int


@dataclass(frozen=True)
class Repeat:
    """A run that is compared."""

    folder: RunFolder
    record: RunRecord

    @cached_property
    def config(self) -> Mapping[str, Any]:
        """Its configuration."""
        return read_config(self.folder)

    @property
    def repetition(self) -> Repetition:
        """Its seeds and its fold: runs of two settings with equal ones make a pair."""
        data, seed = self.config.get("data", {}), self.config.get("seed") or 0
        split_seed = data.get("split_seed")
        return Repetition(seed, seed if split_seed is None else split_seed, data.get("fold") or 0)

    @property
    def test_rows(self) -> tuple[Any, ...]:
        """What is equal for runs that are tested on the same rows."""
        data, record = self.config.get("data", {}), self.record
        chosen = [data.get(key) for key in ("folds", "test_fraction", "test_seed")]
        fold = self.repetition[1:] if data.get("folds") else ()
        return (record.test and record.test.digest, record.data.n_test, *chosen, *fold)


Pair = tuple[Repeat, Repeat]


@dataclass(frozen=True)
class Side:
    """One of those that are compared: a run, or the runs of a setting."""

    name: str
    runs: Sequence[Repeat]

    @classmethod
    def of(cls, name: str, folders: Sequence[RunFolder]) -> "Side":
        """Read the records of a side; RunError when that is not possible."""
        return cls(name, [Repeat(folder, read_training(folder)) for folder in folders])


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
        Its p is corrected for all comparisons made at once.
    pairs : sequence of tuple of Repeat
    n_compared : int
        How many comparisons were made at once.
    n_apart : int or None
        In how many pairs McNemar's test tells the two networks apart, corrected by Holm's method;
        None unless ``metric`` is ``test/accuracy``.
    """

    better: str
    worse: str
    metric: str
    difference: Difference
    pairs: Sequence[Pair]
    n_compared: int = 1
    n_apart: int | None = None

    @property
    def splits(self) -> set[tuple[str, str]]:
        """The splits that the pairs train on."""
        return set(map(_split, self.pairs))


def compare_sides(sides: Sequence[Side], metric: str | None = None) -> list[Comparison]:
    """Compare each two of some sides, and correct the p-values for their number (Holm 1979).

    Two single runs are compared by their predictions on the test rows; otherwise the unit is the
    seed or, with several splits, the split.

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
    if any(len(pairs) > 1 for _, _, pairs in two):
        metric = metric or _common_metric([run for side in sides for run in side.runs])
    found = [
        _by_predictions(a, b, pairs[0]) if len(pairs) == 1 else _by_seeds(a, b, pairs, str(metric))
        for a, b, pairs in two
    ]
    corrected = holm([comparison.difference.p for comparison in found])
    return [
        replace(one, difference=replace(one.difference, p=p), n_compared=len(found))
        for one, p in zip(found, corrected, strict=True)
    ]


def _pairs(a: Side, b: Side) -> list[Pair]:
    """Return the pairs of equal seeds and folds; two single runs are a pair whatever theirs are."""
    by_repetition = {run.repetition: run for run in b.runs}
    pairs = [
        (run, by_repetition[run.repetition]) for run in a.runs if run.repetition in by_repetition
    ]
    if len(a.runs) == len(b.runs) == 1:
        pairs = [(a.runs[0], b.runs[0])]
    if not pairs:
        raise RunError(
            f"{a.name} and {b.name} have no seed in common, and only equal seeds are compared"
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
    part, sign = metric.partition("/")[0], 1 if higher_is_better(metric) else -1
    splits = set(map(_split, pairs))
    by_unit, rows = defaultdict(list), set()
    for one, other in pairs:
        _check_alike(one, other, metric)
        values = [run.record.final_metrics[metric] for run in (one, other)]
        unit = _split((one, other)) if len(splits) > 1 else one.repetition
        by_unit[unit].append(sign * (values[0] - values[1]))
        rows.add(one.test_rows if part == "test" else one.record.data.split)
    data = pairs[0][0].record.data
    n_rows = {"val": data.n_val, "test": data.n_test}.get(part, 0)
    overlap = n_rows / data.n_train if len(rows) > 1 else 0.0
    difference = paired_t([fmean(values) for values in by_unit.values()], overlap)
    n_apart = _n_apart(pairs) if metric == "test/accuracy" else None
    return _ordered(a, b, Comparison("", "", metric, difference, pairs, n_apart=n_apart))


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
    (labels, one), (other_labels, other) = (read_predictions(run.folder) for run in pair)
    if not _equal(labels, other_labels):
        raise RunError(f"{a.name} and {b.name} were tested on different rows, and are not compared")
    if not numbers:
        metric, difference = "test/accuracy", mcnemar(one == labels, other == labels)
    else:
        errors = [((values - labels) ** 2).mean(axis=1) for values in (one, other)]
        metric, difference = "squared error", paired_t(errors[1] - errors[0])
    return _ordered(a, b, Comparison("", "", metric, difference, [pair]))


def _equal(labels: np.ndarray, others: np.ndarray) -> bool:
    """Tell whether labels are the same; numbers have been scaled and back, and differ a little."""
    if labels.shape != others.shape or labels.ndim == 1:
        return np.array_equal(labels, others)
    return bool((np.abs(labels - others) <= 1e-5 * (np.abs(labels) + labels.std(axis=0))).all())


def _n_apart(pairs: Sequence[Pair]) -> int | None:
    """Return how many pairs of networks McNemar's test tells apart, if predictions are stored."""
    if not all(run.folder.test_predictions.exists() for pair in pairs for run in pair):
        return None
    p_values = []
    for pair in pairs:
        (labels, one), (_, other) = (read_predictions(run.folder) for run in pair)
        p_values.append(mcnemar(one == labels, other == labels).p)
    return sum(p < ALPHA for p in holm(p_values))


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
    """Name the sides, the better one first."""
    if comparison.difference.mean < 0:
        a, b = b, a
        comparison = replace(comparison, difference=comparison.difference.reversed())
    return replace(comparison, better=a.name, worse=b.name)
