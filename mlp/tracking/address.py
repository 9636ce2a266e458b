"""Where the MLflow store is: a server, or a database; by default our own, among the runs."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

from mlp.base import runs_dir

if TYPE_CHECKING:
    from mlp.runs import Tracking


def tracking_uri() -> str:
    """Return ``$MLFLOW_TRACKING_URI`` if set, else the SQLite database among the runs."""
    return os.environ.get("MLFLOW_TRACKING_URI") or own_uri()


def uri_of(tracking: "Tracking") -> str:
    """Return the address of the store that a record names."""
    return tracking.uri or own_uri()


def own_uri() -> str:
    """Return the address of our own database."""
    return f"sqlite:///{database()}"


def database() -> Path:
    """Return the file of our own database."""
    return runs_dir() / "mlflow.db"


def is_remote(uri: str) -> bool:
    """Tell whether a store is a server."""
    return uri.startswith(("http:", "https:"))


def is_lost(uri: str) -> bool:
    """Tell whether a store is neither a server nor a database that exists."""
    return not is_remote(uri) and not Path(uri.removeprefix("sqlite:///")).is_file()
