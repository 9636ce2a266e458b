"""The MLflow store: where it is, and how it comes into being exactly once."""

import logging
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mlp.base import ConfigError, RunError, atomic_write, runs_dir
from mlp.runs.find import check_name

if TYPE_CHECKING:
    from mlflow import MlflowClient

SETTINGS = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    # What a server does not take is sent again by us, who know what must not be there twice.
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "5",  # seconds
}
PATIENCE = 60.0  # seconds to wait for another process that is making the store


@dataclass(kw_only=True)
class MLflowTracking:
    """Runs are mirrored in MLflow.

    Parameters
    ----------
    experiment_name : str
        The MLflow experiment that the runs are listed under; made when it does not exist.
    """

    experiment_name: str = "mlp"

    def __post_init__(self) -> None:
        try:
            check_name(self.experiment_name, "experiment_name")
        except ConfigError as error:
            raise ValueError(str(error)) from None


@dataclass(kw_only=True)
class NoTracking:
    """Runs leave their folder only."""


def tracking_uri() -> str:
    """Return ``$MLFLOW_TRACKING_URI`` if set, else the SQLite database among the runs."""
    return os.environ.get("MLFLOW_TRACKING_URI") or _own_uri()


def _own_uri() -> str:
    return f"sqlite:///{runs_dir() / 'mlflow.db'}"


def mlflow_client(uri: str | None = None) -> "MlflowClient":
    """Return a client of the store at ``uri`` (default: `tracking_uri`), made if need be.

    Processes that meet on a store that does not exist break it, so it is made under a lock,
    which ends with the process that holds it. A store that this process leaves half-made would be
    broken as well, so ours is made under another name.

    Raises
    ------
    RunError
        When another process holds the lock for too long.
    """
    keep_mlflow_quiet()
    from filelock import FileLock, Timeout
    from mlflow import MlflowClient

    for talkative in ("mlflow", "alembic"):
        logging.getLogger(talkative).setLevel(logging.WARNING)
    # Whatever it complains of, at length, it raises as well, and we say it in a line.
    logging.getLogger("mlflow.store.db.utils").setLevel(logging.CRITICAL)
    runs_dir().mkdir(parents=True, exist_ok=True)
    lock = FileLock(runs_dir() / "mlflow.lock", timeout=PATIENCE)
    try:
        with lock:
            uri = uri or tracking_uri()
            if uri == _own_uri():
                _make_own_store()
            return MlflowClient(uri)
    except Timeout:
        raise RunError(
            f"another process has held {lock.lock_file} for {PATIENCE:g} s, as if it were making "
            "the MLflow store: end it and try again (tracking=none trains without MLflow)"
        ) from None


def _make_own_store() -> None:
    """Make our database, unless there is one: it appears under its name when it is complete."""
    database = runs_dir() / "mlflow.db"
    if database.is_file():
        return
    if odd := {"?", "%"} & set(str(database)):
        raise RunError(
            f"{runs_dir()} has a {odd.pop()!r} in it, which means something else in the address of "
            "MLflow's database: MLP_RUNS=... chooses another folder"
        )
    if database.exists():
        raise RunError(f"{database} is not a file, and should be MLflow's database")
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore
    from sqlalchemy import Engine, event

    for remains in runs_dir().glob(".mlflow.db.*"):  # of a process that was killed
        remains.unlink()
    event.listen(Engine, "connect", _do_not_force)  # else it takes five times as long
    try:
        with atomic_write(database) as unfinished:
            artifacts = (runs_dir() / "artifacts").as_uri()
            SqlAlchemyStore(f"sqlite:///{unfinished}", artifacts).engine.dispose()
    finally:
        event.remove(Engine, "connect", _do_not_force)


def _do_not_force(connection: Any, _: object) -> None:
    connection.execute("PRAGMA synchronous = OFF")


def stored_client(place: Mapping[str, Any]) -> "MlflowClient":
    """Return a client of the store that a run is in.

    Raises
    ------
    RunError
        When it is a database that is not there: none is made wherever a record says so.
    """
    if is_lost(place):
        raise RunError(f"the MLflow store {place['tracking_uri']} does not exist any more")
    return mlflow_client(place["tracking_uri"])


def is_lost(place: Mapping[str, Any]) -> bool:
    """Tell whether a run is in a database that does not exist any more."""
    database = re.fullmatch("sqlite:///(.+)", place["tracking_uri"])
    return database is not None and not os.path.isfile(database[1])


def keep_mlflow_quiet() -> None:
    """Set what MLflow reads from the environment, unless the user has set it."""
    for variable, value in SETTINGS.items():
        os.environ.setdefault(variable, value)


def is_outage(error: Exception, uri: str) -> bool:
    """Tell a server that cannot answer, or not now, from one that refuses what it is asked."""
    from mlflow.exceptions import MlflowException

    if not uri.startswith(("http:", "https:")) or not isinstance(error, MlflowException):
        return False
    return error.get_http_status_code() not in range(400, 500)


def find_experiment(client: "MlflowClient", name: str) -> str:
    """Return the id of an experiment, made if need be.

    Our own database keeps its artifacts beside it; another store decides for itself.
    """
    from mlflow.exceptions import MlflowException

    experiment = client.get_experiment_by_name(name)
    if experiment is None:
        ours = client.tracking_uri == _own_uri()
        location = (runs_dir() / "artifacts").as_uri() if ours else None
        try:
            return client.create_experiment(name, artifact_location=location)
        except MlflowException:
            experiment = client.get_experiment_by_name(name)  # another process may have been faster
            if experiment is None:
                raise
    if experiment.lifecycle_stage != "active":
        raise RunError(
            f"the MLflow experiment {name!r} is deleted; restore it or set tracking.experiment_name"
        )
    return experiment.experiment_id


def reason_of(error: Exception) -> str:
    """Return what an error says in the end, without the pages that some take for it."""
    text = str(error).strip() or type(error).__name__
    if database := re.search(r"\(\w+\.\w*Error\) (.+)", text):  # SQLAlchemy's, before the statement
        return database[1].strip()
    line = text.splitlines()[0]
    # HTTP's clients wrap the reason in several others: ... (Caused by A("b: Connection refused"))
    if reason := re.search(r"""\(Caused by .*?(?:: )?([^'":]+)['"]\)+$""", line):
        return reason[1].strip()
    return line[:300]
