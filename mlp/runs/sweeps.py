"""What the folders of a sweep's runs say of its jobs, and who may work on one.

A job is claimed by a lock while a process works on it: of two processes with the same job, one
waits, and then finds it done. The operating system gives the lock back when a process dies.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from mlp.base import RunError, runs_dir
from mlp.runs.find import all_runs, find_run
from mlp.runs.folder import RunFolder, read_training
from mlp.runs.lock import mark_orphaned
from mlp.runs.record import RunRecord, SweepRecord


class Children:
    """The runs of a sweep's jobs; the records of those that have finished are read once.

    Parameters
    ----------
    parent : str
        The sweep's id.
    """

    def __init__(self, parent: str) -> None:
        self.parent = parent
        self._records: dict[str, RunRecord] = {}  # by folder name
        self._settled: set[str] = set()  # folders that need no second look

    def read(self) -> list[RunRecord]:
        """Return the record of every run so far, the first started first."""
        for path in runs_dir().iterdir():
            if path.name not in self._settled:
                self._look_at(path)
        return sorted(self._records.values(), key=lambda record: record.started)

    def by_key(self) -> dict[str, RunRecord]:
        """Return the record of each job's run: the finished one, or the latest attempt."""
        records = self.read()
        latest = {record.job.key: record for record in records}
        return latest | {r.job.key: r for r in records if r.status == "FINISHED"}

    def states(self) -> dict[str, str]:
        """Return what each job has come to (see `RunRecord.state`), by its key."""
        return {key: record.state for key, record in self.by_key().items()}

    def counts(self) -> dict[str, int]:
        """Return how many jobs have come to what."""
        counts = dict.fromkeys(("finished", "pruned", "failed", "killed", "running"), 0)
        return counts | Counter(self.states().values())

    def mark_orphaned_runs(self) -> None:
        """Mark the runs KILLED whose process has died."""
        for record in self.read():
            if record.status == "RUNNING":
                mark_orphaned(RunFolder.of(record.id))

    def _look_at(self, path: Path) -> None:
        try:
            record = read_training(RunFolder(path))
        except RunError:
            return  # not a run, or one that is just being made
        ours = record.sweep is not None and record.sweep.parent == self.parent
        if ours:
            self._records[path.name] = record
        if not ours or record.status == "FINISHED":
            self._settled.add(path.name)


@contextmanager
def claim(place: Path, key: str, on_wait: Callable[[], None] | None = None) -> Iterator[None]:
    """Have something to oneself, and wait for it if need be.

    Parameters
    ----------
    place : Path
        A sweep's folder, for a job; that of all runs, for a sweep.
    key : str
        The job's key, or the sweep's identity.
    on_wait : callable, optional
        Called when another process has it.
    """
    path = place / "claims" / f"{key[:32]}.lock"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    except OSError as error:
        raise RunError(f"{path.parent} cannot be written: {error.strerror}") from None
    lock = FileLock(path)
    try:
        lock.acquire(blocking=False)
    except Timeout:
        if on_wait:
            on_wait()
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def study_journal(parent: str) -> Path:
    """Return where a search with the id ``parent`` has its trials."""
    return runs_dir() / parent / "study.journal"


def list_sweeps() -> list[SweepRecord]:
    """Return the record of every sweep, the first started first."""
    return [record for record in all_runs() if isinstance(record, SweepRecord)]


def find_runs_or_sweeps(references: Sequence[str]) -> list[RunFolder]:
    """Return what references mean, each once, see `find_run`; ``latest`` alone is a sweep.

    Raises
    ------
    RunError
        When a reference is unknown or ambiguous.
    """
    if list(references) != ["latest"]:
        return list(dict.fromkeys(map(find_run, references)))
    if sweeps := list_sweeps():
        return [RunFolder.of(sweeps[-1].id)]
    raise RunError(
        f"there is no sweep in {runs_dir()} yet, and 'latest' alone means the latest one; of runs, "
        "name two or more, as in latest best"
    )


def find_sweep(identity: str) -> SweepRecord | None:
    """Return the record of the latest sweep with this identity, None if there is none."""
    return next((r for r in reversed(list_sweeps()) if r.identity == identity), None)
