"""What a sweep has found: its runs ranked, those that differ in nothing but the seed as one.

All is read from the records of the runs. So a board can be made of a sweep that is under way or
was killed as of one that is over, and of several sweeps at once.
"""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, stdev
from typing import Any

from mlp.base import RunError
from mlp.runs.differences import differing_params, metric_in_words, name_of, short_keys
from mlp.runs.folder import RunFolder, read_config, read_run
from mlp.runs.record import RunRecord, SweepRecord
from mlp.runs.sweeps import Children
from mlp.training import higher_is_better


@dataclass(frozen=True)
class Entry:
    """A run on a leaderboard.

    Attributes
    ----------
    record : RunRecord
    params : dict
        The values that distinguish it from the other runs, by dotted key; its seed among them.
    """

    record: RunRecord
    params: dict[str, Any]

    @property
    def id(self) -> str:
        """The run's id."""
        return self.record.id

    @property
    def folder(self) -> RunFolder:
        """The run's folder."""
        return RunFolder.of(self.id)

    @property
    def state(self) -> str:
        """``finished``, ``pruned``, ``failed``, ``killed`` or ``running``."""
        return self.record.state

    def value(self, metric: str) -> float | None:
        """Return a metric at the run's best epoch, if it has it."""
        return self.record.metrics.get(metric)


@dataclass(frozen=True)
class Row:
    """Finished runs that are equal but for their seed.

    Attributes
    ----------
    params : dict
        What distinguishes it from the other rows; a key that it lacks does not apply.
    name : str
        The same in few words: ``lr=0.003 hidden_sizes=128x64``.
    entries : sequence of Entry
        The best seed first.
    values : sequence of float
        The metric of each at its best epoch.
    n_lost : int
        Seeds that have failed or were killed. Such a row is ranked below those without: a setting
        is not the best for having failed where it is not good.
    """

    params: dict[str, Any]
    name: str
    entries: Sequence[Entry]
    values: Sequence[float]
    n_lost: int = 0

    @property
    def mean(self) -> float:
        """The metric's mean over the seeds."""
        return fmean(self.values)

    @property
    def std(self) -> float | None:
        """Its standard deviation (n - 1 in the denominator), None of a single run."""
        return stdev(self.values) if len(self.values) > 1 else None

    def in_words(self, metric: str) -> str:
        """Return the mean and, of several seeds, the standard deviation and their number."""
        spread = "" if self.std is None else f" ± {metric_in_words(metric, self.std)}"
        n = len(self.values)
        count = f" ({n} of {n + self.n_lost})" if self.n_lost else f" ({n})" if n > 1 else ""
        return f"{metric_in_words(metric, self.mean)}{spread}{count}"

    @property
    def best_epoch(self) -> float:
        """Mean of the best epochs."""
        return fmean(entry.record.metrics["epoch"] for entry in self.entries)

    @property
    def seconds(self) -> float:
        """Mean time of a training."""
        return fmean(entry.record.seconds for entry in self.entries)

    def tests(self, metric: str) -> list[float]:
        """Return a metric of the runs whose test set was read: ``accuracy``, ``rmse``."""
        results = [entry.record.results.get("test", {}) for entry in self.entries]
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
    others : sequence of Entry
        What is not ranked: runs that have failed, were pruned or killed, or are under way.
    """

    metric: str
    keys: Sequence[str]
    rows: Sequence[Row]
    others: Sequence[Entry]

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
        entries = _entries(records)
        finished = [entry for entry in entries if entry.state == "finished"]
        if not finished:
            raise RunError(f"no run of the sweep has finished yet ({_census(entries)})")
        metric = metric or _common_monitor(finished)
        ranked = [e for e in finished if e.value(metric) is not None]
        if not ranked:
            known = sorted({k for e in finished for k in e.record.metrics if "/" in k})
            raise RunError(f"no run has the metric {metric!r}; there are {', '.join(known)}")
        _check_comparable(ranked, metric)
        keys = _differing(entries)
        groups: dict[str, list[Entry]] = {}
        for entry in entries:
            groups.setdefault(json.dumps([entry.params.get(key) for key in keys]), []).append(entry)
        names, valued = short_keys(keys), {entry.id for entry in ranked}
        rows = [_row(g, metric, names) for g in groups.values() if valued & {e.id for e in g}]
        rows.sort(key=lambda row: (row.n_lost > 0, _order(metric, row.mean), row.name))
        others = [entry for entry in entries if entry.id not in valued]
        others.sort(key=lambda entry: (entry.state, entry.record.name, entry.id))
        return cls(metric, keys, rows, others)

    @property
    def n_runs(self) -> int:
        """How many runs there are, ranked or not."""
        return sum(len(row.entries) for row in self.rows) + len(self.others)

    @property
    def test_metrics(self) -> list[str]:
        """The metrics of the test sets that were read, but for the loss."""
        entries = [entry for row in self.rows for entry in row.entries]
        found = (key for entry in entries for key in entry.record.results.get("test", {}))
        return [key for key in dict.fromkeys(found) if key != "loss"]

    @property
    def winner(self) -> Entry:
        """The best run of the best row."""
        return self.rows[0].entries[0]


def read_leaderboard(sweeps: Iterable[str], metric: str | None = None) -> Leaderboard:
    """Return the leaderboard of some sweeps, given by their ids, as of now."""
    records = [record for sweep in sweeps for record in Children(sweep).by_key().values()]
    return Leaderboard.of(records, metric)


def training_of(folder: RunFolder) -> RunFolder:
    """Return a sweep's best run; a training as it is."""
    record = read_run(folder)
    return (
        read_leaderboard([record.id]).winner.folder if isinstance(record, SweepRecord) else folder
    )


def _entries(records: Iterable[RunRecord]) -> list[Entry]:
    """Tell each run from the others; of a job that several sweeps share, one run counts."""
    ordered = sorted(records, key=lambda r: (r.status == "FINISHED", r.started))
    chosen = list({record.job.key: record for record in ordered}.values())
    if len({record.job.parent for record in chosen}) == 1:
        params = [record.job.params for record in chosen]  # as the user wrote them
    else:
        folders = [RunFolder.of(record.id) for record in chosen]
        params = differing_params([read_config(folder) for folder in folders])
    return [Entry(*both) for both in zip(chosen, params, strict=True)]


def _census(entries: Iterable[Entry]) -> str:
    """Return "2 failed, 1 running"."""
    counts = Counter(entry.state for entry in entries)
    return ", ".join(f"{n} {state}" for state, n in sorted(counts.items())) or "none has begun"


def _common_monitor(entries: Iterable[Entry]) -> str:
    """Return what all have monitored."""
    monitors = sorted({entry.record.monitor for entry in entries})
    if len(monitors) > 1:
        raise RunError(
            f"the runs monitored different metrics, {' and '.join(monitors)}: "
            f"choose the one that ranks them, as in --metric {monitors[0]}"
        )
    return monitors[0]


def _check_comparable(entries: Iterable[Entry], metric: str) -> None:
    """Raise RunError unless the runs have the same data and, for a loss, the same loss."""
    records = [entry.record for entry in entries]
    # Seeds split differently, and are averaged: the sizes of the split must be the same.
    if len({(r.data.digest, r.data.n_train, r.data.n_val, r.limited) for r in records}) > 1:
        raise RunError("the runs have different data or splits of it, and cannot be ranked")
    losses = sorted({record.model.loss for record in records})
    if len(losses) > 1 and metric.endswith("loss"):
        raise RunError(
            f"the runs have different losses, {' and '.join(losses)}, whose values cannot be "
            "compared: choose --metric val/accuracy"
        )


def _differing(entries: Sequence[Entry]) -> list[str]:
    """Return the parameters but for the seed that are not the same in all entries."""
    keys = dict.fromkeys(key for entry in entries for key in entry.params if key != "seed")
    return [key for key in keys if len({json.dumps(e.params.get(key)) for e in entries}) > 1]


def _row(entries: Sequence[Entry], metric: str, names: Mapping[str, str]) -> Row:
    """Make a row of runs that differ in nothing but their seed, some of them finished."""
    finished = [entry for entry in entries if entry.state == "finished"]
    valued = [(value, entry) for entry in finished if (value := entry.value(metric)) is not None]
    valued.sort(key=lambda pair: (_order(metric, pair[0]), pair[1].params.get("seed", 0)))
    values, ordered = zip(*valued, strict=True)
    params = {key: value for key, value in ordered[0].params.items() if key in names}
    n_lost = sum(entry.state in ("failed", "killed") for entry in entries)
    return Row(params, name_of(params, names) or "all runs", ordered, values, n_lost)


def _order(metric: str, value: float) -> float:
    """Return what is smallest for the best value."""
    return -value if higher_is_better(metric) else value
