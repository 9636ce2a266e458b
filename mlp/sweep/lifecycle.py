"""Opening or continuing a sweep, and ending it whatever happens."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime

from mlp.base import RunError, in_one_line, remove, runs_dir
from mlp.runs import (
    Children,
    RunFolder,
    RunLock,
    SweepRecord,
    claim,
    find_sweep,
    make_runs_dir,
    mark_orphaned_runs,
    read_sweep,
    update_run,
    write_run,
)
from mlp.tracking import ensure_mirror, wait_for_delivery

RESERVE = 1 << 18  # bytes freed for the last record if the disk is full


class OpenSweep:
    """A sweep under way.

    Parameters
    ----------
    record : SweepRecord
        The content of ``run.json``.

    Attributes
    ----------
    id : str
        The parent of its runs.
    folder : RunFolder
    children : Children
    lost : Counter of str
        Jobs of this start that failed or were killed before they had a run, by state.
    """

    def __init__(self, record: SweepRecord) -> None:
        self.id: str = record.id
        self.folder = RunFolder.of(self.id)
        self.folder.path.mkdir(exist_ok=True)
        self.children = Children(self.id)
        self.lost: Counter[str] = Counter()
        self._lock = RunLock(self.folder)
        self._reserve = self.folder.path / "reserve"
        with suppress(OSError):
            self._reserve.write_bytes(bytes(RESERVE))
        write_run(self.folder, record)

    def log(self, line: str) -> None:
        """Add a line to the sweep's log, with the time in front; a full disk ends no sweep."""
        with suppress(OSError), self.folder.log.open("a", encoding="utf-8") as file:
            file.write(f"{datetime.now(UTC).isoformat(timespec='milliseconds')}  {line}\n")

    def end(self, error: BaseException | None) -> None:
        """Record how the sweep has ended."""
        try:
            try:
                self.children.mark_orphaned_runs()
            finally:  # whatever comes in between, a sweep that has ended does not look alive
                self._record_end(error)
        finally:
            self._lock.end()
        if not isinstance(error, KeyboardInterrupt | SystemExit):  # nobody waits after a signal
            folders = [RunFolder.of(record.id) for record in self.children.read()]
            wait_for_delivery([self.folder, *folders])

    def _record_end(self, error: BaseException | None) -> None:
        record = read_sweep(self.folder)
        counts = {state: n + self.lost[state] for state, n in self.children.counts().items()}
        n_good, n_jobs = counts["finished"] + counts["pruned"], record.n_jobs
        n_jobs = n_jobs or sum(counts.values())  # a search: those that were started
        status = "FINISHED" if n_good == n_jobs else "FAILED"
        reason = f"{n_good} of {n_jobs} jobs finished"
        if error is not None:
            interrupted = isinstance(error, KeyboardInterrupt | SystemExit)
            status = "KILLED" if interrupted else "FAILED"
            reason += f", then: {'interrupted' if interrupted else in_one_line(error)}"
        changes = record.ended_at(datetime.now(UTC))
        self._reserve.unlink(missing_ok=True)
        update_run(self.folder, status=status, counts=counts, stop_reason=reason, **changes)
        self.log(f"{status}: {reason}")


@contextmanager
def open_sweep(
    record: SweepRecord, fresh: bool, on_wait: Callable[[], None]
) -> Iterator[OpenSweep]:
    """Open a sweep, or continue the last one with the same identity; the context ends it.

    A second process with the same sweep waits here until the first one has ended.

    Parameters
    ----------
    record : SweepRecord
        Of a new sweep.
    fresh : bool
        Do not continue.
    on_wait : callable
        Called when another process runs the same sweep.

    Raises
    ------
    RunError
        When the runs' folder cannot be written.
    """
    make_runs_dir()
    with claim(runs_dir(), record.identity, on_wait):
        mark_orphaned_runs()
        earlier = None if fresh else find_sweep(record.identity)
        record = _continued(earlier, record) if earlier else record
        try:
            sweep = OpenSweep(record)
        except OSError as error:
            if earlier is None:
                remove(runs_dir() / record.id)
            why = error.strerror or error
            raise RunError(f"{runs_dir() / record.id} cannot be written: {why}") from None
        try:
            sweep.log("opened")
            ensure_mirror()
            sweep.children.mark_orphaned_runs()
            yield sweep
        except BaseException as error:
            sweep.end(error)
            raise
        sweep.end(None)


def _continued(earlier: SweepRecord, new: SweepRecord) -> SweepRecord:
    """Return the record of an earlier sweep, which this process continues."""
    return earlier.changed(
        status="RUNNING",
        continued=datetime.now(UTC),
        ended=None,
        stop_reason=None,
        command=new.command,
        provenance=new.provenance,
        process=new.process,
        tracking=earlier.tracking or new.tracking,
    )
