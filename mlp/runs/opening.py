"""How a run begins: in MLflow first, which gives the id, then as a folder of that name."""

import logging
import shlex
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import numpy as np

from mlp.base import RunError, UserError, atomic_write, remove, runs_dir
from mlp.data import Dataset, Parts
from mlp.nn import Network
from mlp.runs.folder import RunFolder, write_run, write_text, write_yaml
from mlp.runs.lock import Life, this_process
from mlp.runs.provenance import collect_provenance, git_diff
from mlp.runs.recorder import Recorder
from mlp.tracking.counterpart import create
from mlp.tracking.store import (
    MLflowTracking,
    NoTracking,
    is_outage,
    mlflow_client,
    reason_of,
    tracking_uri,
)

if TYPE_CHECKING:
    from mlflow import MlflowClient

logger = logging.getLogger(__name__)


def open_run(
    tracking: MLflowTracking | NoTracking,
    config: Mapping[str, Any],
    overrides: Sequence[str],
    dataset: Dataset,
    parts: Parts,
    network: Network,
    sweep: Mapping[str, Any] | None = None,
) -> Recorder:
    """Open a run and return what records the rest of it.

    To be called when all has been checked and loaded, so that no half-made run remains.

    Parameters
    ----------
    tracking : MLflowTracking or NoTracking
    config : mapping
        The composed and resolved configuration, plain containers; its ``name`` and ``tags`` are
        the run's.
    overrides : sequence of str
        As typed; they make the command that repeats the run.
    dataset : Dataset
    parts : Parts
    network : Network
    sweep : mapping, optional
        Of a job of a sweep: ``parent``, the sweep's id, and the ``name`` that the run is to have;
        stored as it is.

    Raises
    ------
    RunError
        When the runs' folder cannot be written or MLflow's store does not work.
    """
    record: dict[str, Any] = {
        "id": uuid4().hex,
        "name": config.get("name"),
        "status": "RUNNING",
        "started": datetime.now(UTC).isoformat(),
        "ended": None,
        "seconds": None,
        "stop_reason": None,
        "command": shlex.join(["python", "-m", "mlp.run", *overrides]),
        "tags": dict(config.get("tags") or {}),
        "monitor": None,
        "epochs": 0,
        "best": None,
        "test": None,
        "init_from": config.get("init_from"),
        "evaluations": {},
        "model": _describe_network(network),
        "data": _describe_data(dataset, parts),
        "provenance": collect_provenance(),
        "process": this_process(),
        "mlflow": None,
    }
    if sweep:
        record |= {"name": sweep["name"], "sweep": dict(sweep)}
    client = register(tracking, record)
    folder = RunFolder(runs_dir() / record["id"])
    try:
        life = _make_folder(folder, record, config, overrides, dataset.x_train[:1])
    except BaseException as error:
        if client and record["mlflow"]["run_id"]:
            client.set_terminated(record["mlflow"]["run_id"], "FAILED")
        if not isinstance(error, OSError):
            raise
        raise RunError(f"the run's folder {folder.path} cannot be written: {error}") from None
    return Recorder(folder, client, life)


def register(
    tracking: MLflowTracking | NoTracking, record: dict[str, Any]
) -> "MlflowClient | None":
    """Put an id, a name and a place in MLflow into a new record.

    Parameters
    ----------
    tracking : MLflowTracking or NoTracking
    record : dict
        Of a run or a sweep that is about to begin.

    Returns
    -------
    MlflowClient or None
        None without MLflow.
    """
    make_runs_dir()
    client = None
    if isinstance(tracking, MLflowTracking):
        client = _create_in_mlflow(tracking.experiment_name, record)
    record["name"] = record["name"] or f"run-{record['id'][:8]}"
    return client


def make_runs_dir() -> None:
    """Make the folder of the runs if need be; RunError when that is not possible."""
    try:
        runs_dir().mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RunError(
            f"the folder of the runs, {runs_dir()}, cannot be made: {error.strerror} "
            "(MLP_RUNS=... chooses another)"
        ) from None


def _create_in_mlflow(experiment_name: str, record: dict[str, Any]) -> "MlflowClient":
    """Create the MLflow run, and put its id, name and place into the record.

    Where the server does not answer, the run keeps the id it has, and is created later.
    """
    record["mlflow"] = {
        "tracking_uri": tracking_uri(),
        "experiment": experiment_name,
        "experiment_id": None,
        "run_id": None,
        "delivered": False,
    }
    try:
        client = mlflow_client()
        create(client, record)
    except UserError:
        raise
    except Exception as error:  # MLflow lets through what its database or its network raises
        if is_outage(error, tracking_uri()):
            _tell(record, error)
            return client
        raise RunError(
            f"the MLflow store at {tracking_uri()} does not work: {reason_of(error)} "
            "(tracking=none trains without it)"
        ) from error
    record["id"] = record["mlflow"]["run_id"]
    return client


def _tell(record: Mapping[str, Any], error: Exception) -> None:
    """Say that the server does not answer; of a sweep's jobs, only in the log."""
    logger.log(
        logging.INFO if record.get("sweep") else logging.WARNING,
        "MLflow at %s does not answer (%s): the run is kept in its folder, and brought over when "
        "the server is back",
        tracking_uri(),
        reason_of(error),
    )


def _make_folder(
    folder: RunFolder,
    record: Mapping[str, Any],
    config: Mapping[str, Any],
    overrides: Sequence[str],
    example: np.ndarray,
) -> Life:
    """Make the folder with all that is known of the run now, or leave nothing."""
    folder.path.mkdir()
    life = Life(folder)
    try:
        write_yaml(folder.config, config)
        write_yaml(folder.overrides, list(overrides))
        git = record["provenance"]["git"]
        if git and git["dirty"]:
            write_text(folder.diff, git_diff())
        with atomic_write(folder.example) as unfinished, unfinished.open("wb") as file:
            np.save(file, example)
        write_run(folder, record)
    except BaseException:
        life.end()
        remove(folder.path)
        raise
    return life


def _describe_network(network: Network) -> dict[str, Any]:
    return {
        "layers": [str(layer) for layer in network.layers],
        "loss": type(network.loss).__name__,
        "n_parameters": network.params.size,
    }


def _describe_data(dataset: Dataset, parts: Parts) -> dict[str, Any]:
    return {
        "name": dataset.name,
        "n_in": dataset.n_in,
        "classes": list(dataset.classes),
        "image_shape": list(dataset.image_shape) if dataset.image_shape else None,
        "digest": dataset.digest,
        "n_train": len(parts.train),
        "n_val": len(parts.val) if parts.val else 0,
        "n_test": len(parts.test) if parts.test else 0,
    }
