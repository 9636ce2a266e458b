"""The sweep as a run of its own: opened or continued, shown in MLflow, ended whatever happens."""

import logging
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
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
    is_alive,
    make_runs_dir,
    read_run,
    register,
    this_process,
    undelivered_runs,
    update_run,
    write_run,
)
from mlp.tracking import (
    ID,
    MLflowTracking,
    NoTracking,
    mlflow_id,
    project,
    reason_of,
    stored_client,
)
from mlp.tracking.sweep_delivery import show_sweep

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run


logger = logging.getLogger(__name__)


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
        """Show the sweep in MLflow, and settle what earlier starts have left."""
        self.log("opened")
        self._update()
        self.bury_dead()

    @property
    def id(self) -> str:
        """The sweep's id, by which its runs know it."""
        return self.folder.path.name

    def log(self, line: str) -> None:
        """Add a line to the sweep's log, with the time in front; a full disk ends no sweep."""
        with suppress(OSError), self.folder.log.open("a", encoding="utf-8") as file:
            file.write(f"{datetime.now(UTC).isoformat(timespec='milliseconds')}  {line}\n")

    def bury_dead(self) -> None:
        """Mark what dead processes have left RUNNING KILLED, in the folders and in MLflow."""
        self.children.bury_dead()
        mlflow = read_run(self.folder)["mlflow"]
        if mlflow is None:
            return
        with _reported("all children"):
            client = stored_client(mlflow)
            parent = mlflow_id(self.folder, client)
            query = f"tags.`mlflow.parentRunId` = '{parent}' and attributes.status = 'RUNNING'"
            experiment = read_run(self.folder)["mlflow"]["experiment_id"]
            for run in client.search_runs([experiment], query):
                self._settle(client, run)

    def _settle(self, client: "MlflowClient", run: "Run") -> None:
        """Tell MLflow how a run has ended that it takes for RUNNING, unless it is."""
        ids = (run.info.run_id, run.data.tags.get(ID, ""))
        folders = [RunFolder(runs_dir() / run_id) for run_id in ids]
        folder = next((folder for folder in folders if folder.record.exists()), None)
        if folder is None:  # its process died before it could make the folder
            client.set_terminated(run.info.run_id, "KILLED")
        elif read_run(folder)["status"] != "RUNNING" and not is_alive(folder):  # else it does so
            project(folder, client)

    def end(self, error: BaseException | None) -> None:
        """Record how the sweep has ended."""
        try:
            try:
                self.bury_dead()
            finally:  # whatever comes in between, a sweep that has ended does not look alive
                self._record_end(error)
            self._warn_of_undelivered()
        finally:
            self._life.end(in_order=read_run(self.folder)["status"] != "RUNNING")

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
        self._update(
            status=status,
            counts=counts,
            stop_reason=reason,
            ended=ended.isoformat(),
            seconds=record["seconds"] + spent,
        )
        self.log(f"{status}: {reason}")

    def _warn_of_undelivered(self) -> None:
        """Say how many runs MLflow does not have all of, if any."""
        parents = [(read_run(run).get("sweep") or {}).get("parent") for run in undelivered_runs()]
        if n := parents.count(self.id):
            logger.warning(
                "%d of the runs are not all in MLflow yet; their folders are complete, and "
                "python -m mlp.sync brings them over",
                n,
            )

    def _update(self, **changes: Any) -> None:
        update_run(self.folder, **changes)
        with _reported("all of the sweep"):
            show_sweep(self.folder)


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
        When the runs' folder cannot be written or MLflow's store does not work.
    """
    make_runs_dir()
    with claim(runs_dir(), description["identity"], on_wait):
        bury_dead()
        earlier = None if fresh else find_sweep(description["identity"])
        record = _record(tracking, description, earlier)
        try:
            parent = Parent(record)
        except OSError as error:
            _take_back(record)
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
    record = earlier or {
        "kind": "sweep",
        "id": uuid4().hex,
        **description,
        "started": now,
        "seconds": 0.0,
        "best": None,
        "tags": {},
        "counts": {},
        "mlflow": None,
    }
    record |= {"status": "RUNNING", "continued": now, "ended": None, "stop_reason": None}
    record |= {"command": description["command"], "provenance": collect_provenance()}
    record |= {"process": this_process()}
    own = record["id"]
    if record["mlflow"] is None:  # it is new, or was run with tracking=none so far
        register(tracking, record)
    return record | {"id": own} if earlier else record


def _take_back(record: Record) -> None:
    """Leave nothing of a sweep that could not be opened."""
    place, folder = record["mlflow"], RunFolder(runs_dir() / record["id"])
    if not folder.record.exists():
        remove(folder.path)
    if place and place["run_id"]:
        with _reported("the end of the sweep"):
            stored_client(place).set_terminated(place["run_id"], "FAILED")


@contextmanager
def _reported(what: str) -> Iterator[None]:
    """Say what has not reached MLflow; it is in the folders, and is sent again the next time."""
    try:
        yield
    except Exception as error:
        logger.warning("MLflow did not take %s: %s", what, reason_of(error))
