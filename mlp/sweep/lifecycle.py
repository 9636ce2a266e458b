"""Opening or continuing a sweep, and ending it whatever happens."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from uuid import uuid4

from mlp.base import RunError, in_one_line, remove, runs_dir
from mlp.config import Settings, build
from mlp.runs import (
    Children,
    RunFolder,
    RunLock,
    SweepRecord,
    claim,
    collect_provenance,
    find_sweep,
    make_runs_dir,
    mark_orphaned_runs,
    read_sweep,
    short_keys,
    this_process,
    update_run,
    write_run,
)
from mlp.sweep.archive import unpack
from mlp.sweep.composer import PlannedJob
from mlp.sweep.plan import Plan
from mlp.sweep.worker import ChildResult
from mlp.tracking import MLflowTracking, NoTracking, ensure_mirror, wait_for_delivery

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
    """

    def __init__(self, record: SweepRecord) -> None:
        self.id: str = record.id
        self.folder = RunFolder.of(self.id)
        self.folder.path.mkdir(exist_ok=True)
        self.children = Children(self.id)
        # Jobs of this start that failed or were killed before they had a run, by state.
        self._lost: Counter[str] = Counter()
        self._lock = RunLock(self.folder)
        self._reserve = self.folder.path / "reserve"
        with suppress(OSError):
            self._reserve.write_bytes(bytes(RESERVE))
        write_run(self.folder, record)

    def log(self, line: str) -> None:
        """Add a line to the sweep's log, with the time in front; a full disk ends no sweep."""
        with suppress(OSError), self.folder.log.open("a", encoding="utf-8") as file:
            file.write(f"{datetime.now(UTC).isoformat(timespec='milliseconds')}  {line}\n")

    def ended(self, job: PlannedJob, result: ChildResult) -> ChildResult:
        """Record the outcome of a job, and return it: of one that was killed with its run."""
        if result.archive:
            unpack(result.archive, runs_dir())
        if result.state == "killed" and result.record is None:  # it could not say so itself
            self.children.mark_orphaned_runs()
            result = replace(result, record=self.children.by_key().get(job.key))
        self._lost[result.state] += result.record is None
        self.log(f"{result.state}  {job.name}: {result.reason}")
        return result

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
        counts = {state: n + self._lost[state] for state, n in self.children.counts().items()}
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
    settings: Settings, plan: Plan, command: str, on_wait: Callable[[], None]
) -> Iterator[OpenSweep]:
    """Open a sweep, or continue the last one with the same identity; the context ends it.

    A second process with the same sweep waits here until the first one has ended.

    Parameters
    ----------
    settings : Settings
    plan : Plan
    command : str
        The line that starts or continues it.
    on_wait : callable
        Called when another process runs the same sweep.

    Raises
    ------
    RunError
        When the runs' folder cannot be written.
    """
    make_runs_dir()
    with claim(runs_dir(), plan.identity, on_wait):
        mark_orphaned_runs()
        earlier = None if settings.fresh else find_sweep(plan.identity)
        record = _new_record(settings, plan, command)
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


def _new_record(settings: Settings, plan: Plan, command: str) -> SweepRecord:
    """Return the record of the sweep as if it were started for the first time."""
    own = uuid4().hex
    axes = " × ".join(short_keys(plan.axes).values())
    tracking = build("tracking", plan.example.config["tracking"], MLflowTracking | NoTracking)
    values = {
        "id": own,
        "name": settings.name or f"{axes or 'sweep'} {own[:8]}",
        "identity": plan.identity,
        "started": datetime.now(UTC),
        "command": command,
        "monitor": plan.example.monitor,
        "axes": plan.axes,
        "n_jobs": len(plan.jobs),
        "provenance": collect_provenance(),
        "process": this_process(),
        "tracking": tracking.destination(),
    }
    return SweepRecord.of(values)


def _continued(earlier: SweepRecord, new: SweepRecord) -> SweepRecord:
    """Return the record of an earlier sweep, which this process continues."""
    own = ("status", "ended", "stop_reason", "command", "provenance", "process")
    changes = {key: getattr(new, key) for key in own}
    tracking = earlier.tracking or new.tracking
    return earlier.changed(**changes, continued=datetime.now(UTC), tracking=tracking)
