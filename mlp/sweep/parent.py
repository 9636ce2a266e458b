"""The sweep as a run of its own: opened or continued, and ended whatever happens."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from mlp.base import RunError, remove, runs_dir
from mlp.runs import (
    Children,
    Life,
    Record,
    RunFolder,
    bury_dead,
    claim,
    collect_provenance,
    find_sweep,
    make_runs_dir,
    read_run,
    this_process,
    update_run,
    write_run,
)
from mlp.tracking import MLflowTracking, NoTracking, ensure_mirror, wait_for_delivery


class Parent:
    """A sweep under way.

    Parameters
    ----------
    record : dict
        As it is to stand in ``run.json``.

    Attributes
    ----------
    folder : RunFolder
    children : Children
    lost : Counter of str
        Jobs of this start that have failed or were killed before they had a run.
    """

    def __init__(self, record: Record) -> None:
        self.folder = RunFolder(runs_dir() / record["id"])
        self.folder.path.mkdir(exist_ok=True)
        self.children = Children(record["id"])
        self.lost: Counter[str] = Counter()
        self._life = Life(self.folder)
        write_run(self.folder, record)

    def begin(self) -> None:
        """Settle what earlier starts have left."""
        self.log("opened")
        ensure_mirror()
        self.children.bury_dead()

    @property
    def id(self) -> str:
        """The sweep's id, by which its runs know it."""
        return self.folder.path.name

    def log(self, line: str) -> None:
        """Add a line to the sweep's log, with the time in front; a full disk ends no sweep."""
        with suppress(OSError), self.folder.log.open("a", encoding="utf-8") as file:
            file.write(f"{datetime.now(UTC).isoformat(timespec='milliseconds')}  {line}\n")

    def end(self, error: BaseException | None) -> None:
        """Record how the sweep has ended."""
        try:
            try:
                self.children.bury_dead()
            finally:  # whatever comes in between, a sweep that has ended does not look alive
                self._record_end(error)
        finally:
            self._life.end(in_order=read_run(self.folder)["status"] != "RUNNING")
        if not isinstance(error, KeyboardInterrupt | SystemExit):  # nobody waits after a signal
            folders = [RunFolder(runs_dir() / record["id"]) for record in self.children.read()]
            wait_for_delivery([self.folder, *folders])

    def _record_end(self, error: BaseException | None) -> None:
        record = read_run(self.folder)
        counts = {state: n + self.lost[state] for state, n in self.children.counts().items()}
        n_good, n_jobs = counts["finished"] + counts["pruned"], len(record["jobs"])
        n_jobs = n_jobs or sum(counts.values())  # of a search, those that it has come to
        status = "FINISHED" if n_good == n_jobs else "FAILED"
        reason = f"{n_good} of {n_jobs} jobs finished"
        if error is not None:
            interrupted = isinstance(error, KeyboardInterrupt | SystemExit)
            status = "KILLED" if interrupted else "FAILED"
            reason += f", then: {'interrupted' if interrupted else error or type(error).__name__}"
        ended = datetime.now(UTC)
        spent = (ended - datetime.fromisoformat(record["continued"])).total_seconds()
        update_run(
            self.folder,
            status=status,
            counts=counts,
            stop_reason=reason,
            ended=ended.isoformat(),
            seconds=record["seconds"] + spent,
        )
        self.log(f"{status}: {reason}")


@contextmanager
def open_sweep(
    tracking: MLflowTracking | NoTracking,
    description: Mapping[str, Any],
    fresh: bool,
    on_wait: Callable[[], None],
) -> Iterator[Parent]:
    """Open a sweep, or continue the last one with the same identity, for as long as a context is.

    A second process with the same sweep waits here until the first one has ended.

    Parameters
    ----------
    tracking : MLflowTracking or NoTracking
    description : mapping
        ``identity``, ``name``, ``command``, ``monitor``, ``axes``, ``jobs``.
    fresh : bool
        Do not continue.
    on_wait : callable
        Called when another process is at the same sweep.

    Raises
    ------
    RunError
        When the runs' folder cannot be written.
    """
    make_runs_dir()
    with claim(runs_dir(), description["identity"], on_wait):
        bury_dead()
        earlier = None if fresh else find_sweep(description["identity"])
        record = _record(tracking, description, earlier)
        try:
            parent = Parent(record)
        except OSError as error:
            if earlier is None:
                remove(runs_dir() / record["id"])
            why = error.strerror or error
            raise RunError(f"{runs_dir() / record['id']} cannot be written: {why}") from None
        try:
            parent.begin()
            yield parent
        except BaseException as error:
            parent.end(error)
            raise
        parent.end(None)


def _record(
    tracking: MLflowTracking | NoTracking, description: Mapping[str, Any], earlier: Record | None
) -> Record:
    """Return what the sweep's record is to say while it is under way."""
    now = datetime.now(UTC).isoformat()
    own = uuid4().hex
    record = earlier or {
        "kind": "sweep",
        "id": own,
        **description,
        "name": description["name"] or f"run-{own[:8]}",
        "started": now,
        "seconds": 0.0,
        "best": None,
        "tags": {},
        "counts": {},
        "tracking": None,
    }
    record |= {"status": "RUNNING", "continued": now, "ended": None, "stop_reason": None}
    record |= {"command": description["command"], "provenance": collect_provenance()}
    record |= {"process": this_process()}
    record["tracking"] = record["tracking"] or tracking.destination()
    return record
