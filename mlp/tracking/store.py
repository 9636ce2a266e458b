"""The MLflow store: how it is created exactly once, and what its errors mean."""

import logging
import os
import re
from dataclasses import dataclass
from textwrap import shorten
from time import time
from typing import TYPE_CHECKING, Any

from mlp.base import ConfigError, RunError, atomic_write, runs_dir
from mlp.runs import Tracking, check_name
from mlp.tracking.address import database, is_lost, is_remote, own_uri, tracking_uri, uri_of
from mlp.tracking.views import KIND, PREFIX, RESULTS, results_view

if TYPE_CHECKING:
    from mlflow import MlflowClient

SETTINGS = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    # We retry ourselves: we know which requests may be made twice.
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "5",  # seconds
}
LOCK_TIMEOUT = 60.0  # seconds to wait for another process that is creating the store


@dataclass(kw_only=True)
class MLflowTracking:
    """Runs are mirrored in MLflow.

    Parameters
    ----------
    experiment_name : str
        The MLflow experiment that the runs are listed under; created when it does not exist.
    """

    experiment_name: str = "mlp"

    def __post_init__(self) -> None:
        try:
            check_name(self.experiment_name, "experiment_name")
        except ConfigError as error:
            raise ValueError(str(error)) from None

    def destination(self) -> Tracking:
        """Return where a run that begins now is mirrored, as its record states it."""
        uri = tracking_uri()
        return Tracking(uri=None if uri == own_uri() else uri, experiment=self.experiment_name)


@dataclass(kw_only=True)
class NoTracking:
    """Runs leave their folder only."""

    def destination(self) -> None:
        """Return nothing: such a run is not mirrored."""


def mlflow_client(uri: str | None = None) -> "MlflowClient":
    """Return a client of the store at ``uri`` (default: `tracking_uri`).

    Our own database is created if need be, under a lock, since processes that meet on a store
    that does not exist break it.

    Raises
    ------
    RunError
        When another process holds the lock for too long.
    """
    keep_mlflow_quiet()
    from mlflow import MlflowClient

    for verbose in ("mlflow", "alembic"):
        logging.getLogger(verbose).setLevel(logging.WARNING)
    # Whatever it logs, at length, it raises as well, and we report that in one line.
    logging.getLogger("mlflow.store.db.utils").setLevel(logging.CRITICAL)
    uri = uri or tracking_uri()
    if uri == own_uri() and not database().is_file():
        _createdatabase()
    return MlflowClient(uri)


def client_of(tracking: Tracking) -> "MlflowClient":
    """Return a client of the store that a record names.

    Raises
    ------
    RunError
        When it is neither in force, nor a server, nor a database that exists: a record does not
        decide where something is created.
    """
    uri = uri_of(tracking)
    if uri not in (tracking_uri(), own_uri()) and is_lost(uri):
        raise RunError(f"the MLflow store {uri} does not exist")
    return mlflow_client(uri)


def _artifacts() -> str:
    return (runs_dir() / "artifacts").as_uri()


def _createdatabase() -> None:
    """Create our database, unless another process does; it appears when it is complete."""
    from filelock import FileLock, Timeout

    if odd := {"?", "%"} & set(str(database())):
        raise RunError(
            f"{runs_dir()} has a {odd.pop()!r} in it, which means something else in the address of "
            "MLflow's database: MLP_RUNS=... chooses another folder"
        )
    runs_dir().mkdir(parents=True, exist_ok=True)
    lock = FileLock(runs_dir() / "mlflow.lock", timeout=LOCK_TIMEOUT)
    try:
        with lock:
            if not database().is_file():
                _filldatabase()
    except Timeout:
        raise RunError(
            f"another process has held {lock.lock_file} for {LOCK_TIMEOUT:g} s, as if it were "
            "creating the MLflow store: end it"
        ) from None


def _filldatabase() -> None:
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore
    from sqlalchemy import Engine, event

    if database().exists():
        raise RunError(f"{database()} is not a file, and should be MLflow's database")
    for remains in runs_dir().glob(".mlflow.db.*"):  # of a process that was killed
        remains.unlink()
    event.listen(Engine, "connect", _do_not_sync)  # else it takes five times as long
    try:
        with atomic_write(database()) as unfinished:
            SqlAlchemyStore(f"sqlite:///{unfinished}", _artifacts()).engine.dispose()
    finally:
        event.remove(Engine, "connect", _do_not_sync)


def _do_not_sync(connection: Any, _: object) -> None:
    connection.execute("PRAGMA synchronous = OFF")


def keep_mlflow_quiet() -> None:
    """Set what MLflow reads from the environment, unless the user has set it."""
    for variable, value in SETTINGS.items():
        os.environ.setdefault(variable, value)


def is_outage(error: BaseException, uri: str) -> bool:
    """Tell a server that cannot answer, or not now, from one that refuses what it is asked."""
    from mlflow.exceptions import MlflowException

    if not is_remote(uri) or not isinstance(error, MlflowException):
        return False
    return error.get_http_status_code() not in range(400, 500)


def find_experiment(client: "MlflowClient", name: str) -> str:
    """Return the id of an experiment, created if need be.

    Our own database keeps its artifacts beside it; another store decides for itself.
    """
    from mlflow.exceptions import MlflowException

    experiment = client.get_experiment_by_name(name)
    if experiment is None:
        location = _artifacts() if client.tracking_uri == own_uri() else None
        try:
            return client.create_experiment(name, artifact_location=location, tags=_tags())
        except MlflowException:
            experiment = client.get_experiment_by_name(name)  # another process may have been faster
            if experiment is None:
                raise
    if experiment.lifecycle_stage != "active":
        raise RunError(
            f"the MLflow experiment {name!r} is deleted; restore it or set tracking.experiment_name"
        )
    for key, value in _tags().items():
        if key not in experiment.tags:
            client.set_experiment_tag(experiment.experiment_id, key, value)
    return experiment.experiment_id


def _tags() -> dict[str, str]:
    """Return what lets MLflow's UI show an experiment as one of trainings, with their figures."""
    return KIND | {f"{PREFIX}{RESULTS}": results_view(round(time() * 1000))}


def reason_of(error: Exception) -> str:
    """Return what an error says in the end, without the pages that some wrap around it."""
    text = str(error).strip() or type(error).__name__
    if database := re.search(r"\(\w+\.\w*Error\) (.+)", text):  # SQLAlchemy's, before the statement
        return database[1].strip()
    line = text.splitlines()[0]
    # HTTP's clients wrap the reason in several others: ... (Caused by A("b: Connection refused"))
    if reason := re.search(r"""\(Caused by .*?(?:: )?([^'":]+)['"]\)+$""", line):
        return reason[1].strip()
    return shorten(line, 300, placeholder=" ...")
