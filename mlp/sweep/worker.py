"""One job of a sweep, in the process that runs it, whichever executor started that."""

from dataclasses import dataclass, field
from functools import cache

from mlp.base import RunError, UserError, runs_dir
from mlp.config import check
from mlp.data import Dataset, Source, Targets
from mlp.jobs import run_job
from mlp.runs import Children, RunFolder, RunRecord, claim, study_journal
from mlp.sweep.archive import pack
from mlp.sweep.composer import PlannedJob, job_key
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
    record : RunRecord or None
        Of its run; None when none was opened.
    signal : int or None
        The signal that stopped it.
    archive : bytes or None
        The run's folder, if the sweep is on another machine's disk; see `mlp.sweep.archive`.
    """

    state: str
    reason: str
    record: RunRecord | None = None
    signal: int | None = None
    archive: bytes | None = field(default=None, repr=False)

    @property
    def metrics(self) -> dict[str, float]:
        """The metrics of the best epoch, and ``epoch``; {} if there is none."""
        return self.record.metrics if self.record else {}


def run_child(job: PlannedJob) -> ChildResult:
    """Run a job, or the rest of one that was interrupted, unless it is finished.

    An error is a failure of this job alone, and is not raised.
    """
    try:
        with claim(runs_dir() / job.parent, job.key):
            record, signal = _run(job)
            archive = None if _has_sweep(job.parent) else pack(runs_dir() / record.id)
            return ChildResult(record.state, record.stop_reason or "", record, signal, archive)
    except Exception as error:
        return ChildResult("failed", first_line(error))


def first_line(error: BaseException) -> str:
    """Return an error in one line, with its type unless it is a sentence for the user."""
    words = str(error) if isinstance(error, UserError) else f"{type(error).__name__}: {error}"
    return words.splitlines()[0]


def _run(planned: PlannedJob) -> tuple[RunRecord, int | None]:
    """Return the record of the job's run, and the signal that has ended it if one has."""
    earlier = _children(planned.parent).by_key().get(planned.key)
    if earlier and earlier.status == "FINISHED":
        return earlier, None
    job = check(planned.config)
    dataset = _dataset(job.data, job.task.targets)
    if job_key(job.config, dataset.digest) != planned.key:
        raise RunError("its data or configuration files have changed since it was planned")
    resume = None
    if earlier and earlier.status != "FAILED":  # which would fail again
        resume = RunFolder.of(earlier.id)
    result = run_job(
        job,
        planned.overrides,
        dataset=dataset,
        sweep=planned.child,
        pruner=_pruner(planned),
        resume=resume,
    )
    return result.record, result.signal


def _has_sweep(parent: str) -> bool:
    """Tell whether this machine shares the disk of the one that has planned the sweep."""
    return RunFolder.of(parent).record.exists()


def _pruner(job: PlannedJob) -> Pruner | None:
    if job.trial is None or not _has_sweep(job.parent):
        return None
    from mlp.sweep.search.pruning import TrialPruner

    return TrialPruner(study_journal(job.parent), job.trial)


# A process that runs one job after another reads the data and the earlier runs once.
@cache
def _dataset(source: Source, targets: Targets) -> Dataset:
    return source.load(targets)


_children = cache(Children)
