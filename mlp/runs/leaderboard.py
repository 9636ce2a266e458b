"""What a sweep has found: its runs ranked, those that differ in nothing but seed or fold as one.

All is read from the records of the runs. So a board can be made of a sweep that is under way or
was killed as of one that is over, and of several sweeps at once.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from statistics import fmean, stdev
from typing import Any

from mlp.base import RunError
from mlp.runs.differences import differing_params, metric_in_words, name_of, short_keys
from mlp.runs.find import find_run
from mlp.runs.folder import RunFolder, read_config, read_run
from mlp.runs.record import RunRecord, SweepRecord
from mlp.runs.sweeps import Children
from mlp.training import higher_is_better

Params = Mapping[str, Mapping[str, Any]]  # of runs, by id and dotted key
REPETITIONS = ("seed", "data.split_seed", "data.fold")  # of a setting, whose results are averaged


@dataclass(frozen=True)
class Row:
    """Finished runs that are equal but for their seed, or the fold that they are tested on.

    Attributes
    ----------
    params : dict
        What distinguishes it from the other rows; a key that it lacks does not apply.
    name : str
        The same in few words: ``lr=0.003 hidden_sizes=128x64``.
    runs : sequence of RunRecord
        The best one first.
    values : sequence of float
        The metric of each at its best epoch.
    n_lost : int
        Runs that have failed or were killed. Such a row is ranked below those without: a setting
        is not the best for having failed where it is not good.
    """

    params: dict[str, Any]
    name: str
    runs: Sequence[RunRecord]
    values: Sequence[float]
    n_lost: int = 0

    @property
    def mean(self) -> float:
        """The metric's mean over the runs."""
        return fmean(self.values)

    @property
    def std(self) -> float | None:
        """Its standard deviation (n - 1 in the denominator), None of a single run."""
        return stdev(self.values) if len(self.values) > 1 else None

    def in_words(self, metric: str) -> str:
        """Return the mean and, of several runs, the standard deviation and their number."""
        n = len(self.values)
        count = f" ({n} of {n + self.n_lost})" if self.n_lost else f" ({n})" if n > 1 else ""
        return mean_in_words(metric, self.values) + count

    @property
    def best_epoch(self) -> float:
        """Mean of the best epochs."""
        return fmean(run.metrics["epoch"] for run in self.runs)

    @property
    def seconds(self) -> float:
        """Mean time of a training."""
        return fmean(run.seconds for run in self.runs)

    def tests(self, metric: str) -> list[float]:
        """Return a metric of the runs whose test set was read: ``accuracy``, ``rmse``."""
        results = [run.results.get("test", {}) for run in self.runs]
        return [result[metric] for result in results if metric in result]


@dataclass(frozen=True)
class Leaderboard:
    """The runs of one sweep or of several, ranked by a metric at each run's best epoch.

    Attributes
    ----------
    metric : str
    keys : sequence of str
        The parameters that differ between the rows.
    rows : sequence of Row
        The best first; at least one.
    others : sequence of RunRecord
        What is not ranked: runs that have failed, were pruned or killed, or are under way.
    params : dict
        By the id of each run the values that distinguish it from the others, by dotted key; its
        seed and its fold among them.
    """

    metric: str
    keys: Sequence[str]
    rows: Sequence[Row]
    others: Sequence[RunRecord]
    params: Params

    @classmethod
    def of(cls, records: Iterable[RunRecord], metric: str | None = None) -> "Leaderboard":
        """Rank runs.

        Parameters
        ----------
        records : iterable of RunRecord
            Of the runs of a sweep, or of several.
        metric : str, optional
            Default: the one that all runs monitored.

        Raises
        ------
        RunError
            When no run has finished, when they have no metric in common, or when their metrics
            cannot be compared.
        """
        runs = _distinct(records)
        finished = [run for run in runs if run.state == "finished"]
        if not finished:
            raise RunError(f"no run of the sweep has finished yet ({_census(runs)})")
        metric = metric or _common_monitor(finished)
        ranked = [run for run in finished if metric in run.metrics]
        if not ranked:
            known = sorted({key for run in finished for key in run.metrics if "/" in key})
            raise RunError(f"no run has the metric {metric!r}; there are {', '.join(known)}")
        params = _params(runs)
        folds = {own["data.fold"] for own in params.values() if "data.fold" in own}
        _check_comparable(ranked, metric, has_folds=len(folds) > 1)
        keys = _differing(params)
        groups: dict[str, list[RunRecord]] = defaultdict(list)
        for run in runs:
            groups[json.dumps([params[run.id].get(key) for key in keys])].append(run)
        rows = [row for group in groups.values() if (row := _row(group, metric, keys, params))]
        rows.sort(key=lambda row: (row.n_lost > 0, _order(metric, row.mean), row.name))
        ranked_ids = {run.id for run in ranked}
        others = [run for run in runs if run.id not in ranked_ids]
        others.sort(key=lambda run: (run.state, run.name, run.id))
        return cls(metric, keys, rows, others, params)

    @property
    def n_runs(self) -> int:
        """How many runs there are, ranked or not."""
        return len(self.params)

    @cached_property
    def test_metrics(self) -> list[str]:
        """The metrics of the test sets that were read, but for the loss."""
        tests = [run.results.get("test", {}) for row in self.rows for run in row.runs]
        return [key for key in dict.fromkeys(chain(*tests)) if key != "loss"]

    @property
    def winner(self) -> RunRecord:
        """The best run of the best row."""
        return self.rows[0].runs[0]

    def best_runs(self, n: int) -> list[RunRecord]:
        """Return the n best runs, whatever their settings."""
        ranked = [pair for row in self.rows for pair in zip(row.values, row.runs, strict=True)]
        ranked.sort(key=lambda pair: _order(self.metric, pair[0]))
        return [run for _, run in ranked[:n]]

    @property
    def to_test(self) -> Sequence[RunRecord]:
        """Whose test sets tell how good the best row is: the winner's; in cross-validation, all."""
        best = self.rows[0].runs
        folds = {self.params[run.id].get("data.fold") for run in best}
        return best if len(folds) > 1 else best[:1]


def read_leaderboard(sweeps: Iterable[str], metric: str | None = None) -> Leaderboard:
    """Return the leaderboard of some sweeps, given by their ids, as of now."""
    records = [record for sweep in sweeps for record in Children(sweep).by_key().values()]
    return Leaderboard.of(records, metric)


def find_training(reference: str) -> RunFolder:
    """Return the one training that a reference means, see `find_run`: of a sweep, its best run."""
    folder = find_run(reference)
    record = read_run(folder)
    if isinstance(record, SweepRecord):
        return RunFolder.of(read_leaderboard([record.id]).winner.id)
    return folder


def _distinct(records: Iterable[RunRecord]) -> list[RunRecord]:
    """Return one run for each job, which several sweeps may share."""
    ordered = sorted(records, key=lambda r: (r.status == "FINISHED", r.started))
    return list({record.job.key: record for record in ordered}.values())


def _params(runs: Sequence[RunRecord]) -> Params:
    """Return the values that distinguish each run from the others, by the runs' ids."""
    params = [run.job.params for run in runs]  # as the user wrote them
    if len({run.job.parent for run in runs}) > 1:
        params = differing_params([read_config(RunFolder.of(run.id)) for run in runs])
    return {run.id: own for run, own in zip(runs, params, strict=True)}


def _census(runs: Iterable[RunRecord]) -> str:
    """Return "2 failed, 1 running"."""
    counts = Counter(run.state for run in runs)
    return ", ".join(f"{n} {state}" for state, n in sorted(counts.items())) or "none has begun"


def _common_monitor(runs: Iterable[RunRecord]) -> str:
    """Return what all have monitored."""
    monitors = sorted({run.monitor for run in runs})
    if len(monitors) > 1:
        raise RunError(
            f"the runs monitored different metrics, {' and '.join(monitors)}: "
            f"choose the one that ranks them, as in --metric {monitors[0]}"
        )
    return monitors[0]


def _check_comparable(runs: Sequence[RunRecord], metric: str, has_folds: bool) -> None:
    """Raise RunError unless the runs have the same data and, for a loss, the same loss."""
    # Seeds split differently, and are averaged: the sizes of the split must be the same. Where the
    # number of rows is no multiple of the folds', some folds have a row more.
    data = {(run.data.digest, run.limited) for run in runs}
    train, val = ({getattr(run.data, part) for run in runs} for part in ("n_train", "n_val"))
    if len(data) > 1 or any(max(sizes) - min(sizes) > has_folds for sizes in (train, val)):
        raise RunError("the runs have different data or splits of it, and cannot be ranked")
    losses = sorted({run.model.loss for run in runs})
    if len(losses) > 1 and metric.endswith("loss"):
        raise RunError(
            f"the runs have different losses, {' and '.join(losses)}, whose values cannot be "
            "compared: choose --metric val/accuracy"
        )


def mean_in_words(metric: str, values: Sequence[float]) -> str:
    """Return the mean and, of several values, their standard deviation."""
    spread = f" ± {metric_in_words(metric, stdev(values))}" if len(values) > 1 else ""
    return f"{metric_in_words(metric, fmean(values))}{spread}"


def _differing(params: Params) -> list[str]:
    """Return the parameters but for seeds and folds that are not the same in all runs."""
    runs = params.values()
    keys = dict.fromkeys(key for own in runs for key in own if key not in REPETITIONS)
    return [key for key in keys if len({json.dumps(own.get(key)) for own in runs}) > 1]


def _row(
    group: Sequence[RunRecord], metric: str, keys: Sequence[str], params: Params
) -> Row | None:
    """Make a row of runs that repeat the same setting; None if none has finished."""
    finished = [run for run in group if run.state == "finished" and metric in run.metrics]
    if not finished:
        return None
    finished.sort(key=lambda run: [params[run.id].get(key) or 0 for key in REPETITIONS])
    finished.sort(key=lambda run: _order(metric, run.metrics[metric]))
    own = {key: value for key, value in params[finished[0].id].items() if key in keys}
    name = name_of(own, short_keys(keys)) or "all runs"
    n_lost = sum(run.state in ("failed", "killed") for run in group)
    return Row(own, name, finished, [run.metrics[metric] for run in finished], n_lost)


def _order(metric: str, value: float) -> float:
    """Return what is smallest for the best value."""
    return -value if higher_is_better(metric) else value
