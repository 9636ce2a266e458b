"""One job of a sweep, in the process that runs it, whichever executor started that."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from mlp.base import RunError, UserError, runs_dir
from mlp.config import check
from mlp.data import Dataset, Source
from mlp.jobs import Resumption, run_job
from mlp.runs import Children, RunFolder, RunRecord, claim, read_training, study_journal
from mlp.sweep.archive import pack
from mlp.sweep.composer import job_key
from mlp.training import Pruner

DONE = ("finished", "pruned")  # the states of a job that is not run again


@dataclass(frozen=True)
class ChildResult:
    """The outcome of a job.

    Attributes
    ----------
    state : str
        ``finished``, ``pruned``, ``failed`` or ``killed``.
    reason : str
        Why its training stopped, or why there was none.
    run : str or None
        The run's id; None when none was opened.
    best : dict of str to float
        The metrics of the best epoch, and ``epoch``.
    seconds : float
    signal : int or None
        The signal that stopped it.
    archive : bytes or None
        The run's folder, if the sweep is on another machine's disk; see `mlp.sweep.archive`.
    """

    state: str
    reason: str
    run: str | None = None
    best: Mapping[str, float] | None = None
    seconds: float = 0.0
    signal: int | None = None
    archive: bytes | None = field(default=None, repr=False)


def run_child(
    config: Mapping[str, Any], overrides: Sequence[str], child: Mapping[str, Any]
) -> ChildResult:
    """Run a job, or the rest of one that was interrupted, unless it is finished.

    An error is a failure of this job alone, and is not raised.

    Parameters
    ----------
    config : mapping
        The job's configuration.
    overrides : sequence of str
        They repeat it as a single run.
    child : mapping
        The run's place in its sweep, see `PlannedJob.child_of`.
    """
    try:
        with claim(runs_dir() / child["parent"], child["key"]):
            return _run(config, overrides, child)
    except Exception as error:
        return ChildResult("failed", first_line(error))


def first_line(error: BaseException) -> str:
    """Return an error in one line, with its type unless it is a sentence for the user."""
    words = str(error) if isinstance(error, UserError) else f"{type(error).__name__}: {error}"
    return words.splitlines()[0]


def _run(
    config: Mapping[str, Any], overrides: Sequence[str], child: Mapping[str, Any]
) -> ChildResult:
    earlier = _children(child["parent"]).by_key().get(child["key"])
    if earlier and earlier.status == "FINISHED":
        return _answer(child, earlier)
    job = check(config)
    dataset = _dataset(job.data)
    if job_key(job.config, dataset.digest) != child["key"]:
        raise RunError("its data or configuration files have changed since it was planned")
    resume = None
    if earlier and earlier.status != "FAILED":  # which would fail again
        resume = Resumption(RunFolder.of(earlier.id))
    pruner = _pruner(child)
    result = run_job(job, overrides, dataset=dataset, sweep=child, pruner=pruner, resume=resume)
    return _answer(child, read_training(RunFolder(result.folder)), result.signal)


def _answer(child: Mapping[str, Any], record: RunRecord, signal: int | None = None) -> ChildResult:
    """Return the outcome of a run, with its folder if the sweep cannot see that."""
    return ChildResult(
        state=record.state,
        reason=record.stop_reason or "",
        run=record.id,
        best=record.metrics,
        seconds=record.seconds,
        signal=signal,
        archive=None if _has_sweep(child) else pack(runs_dir() / record.id),
    )


def _has_sweep(child: Mapping[str, Any]) -> bool:
    """Tell whether this machine shares the disk of the one that has planned the sweep."""
    return RunFolder.of(child["parent"]).record.exists()


def _pruner(child: Mapping[str, Any]) -> Pruner | None:
    if "trial" not in child or not _has_sweep(child):
        return None
    from mlp.sweep.search.pruning import TrialPruner

    return TrialPruner(study_journal(child["parent"]), child["trial"])


# A process that runs one job after another reads the data and the earlier runs once.
@cache
def _dataset(source: Source) -> Dataset:
    return source.load()


@cache
def _children(parent: str) -> Children:
    return Children(parent)
