"""A run's counterpart in MLflow: created once, even where an answer of the server was lost.

It bears the run's own id as a tag, and nothing without that tag is ever touched. So the tag tells
whether a server that did not answer had created it after all.
"""

import json
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock

from mlp.base import RunError, atomic_write
from mlp.runs import Record, RunFolder, SweepRecord, Tracking, read_run
from mlp.tracking.artifacts import local_path
from mlp.tracking.store import find_experiment
from mlp.tracking.views import view_tag

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run

ID = "mlp.id"  # bears the run's own id; nothing without it is ever touched
LOCK_TIMEOUT = 60.0  # seconds to wait for another process that is delivering the same run


@dataclass(frozen=True)
class Counterpart:
    """Where MLflow has a run: the content of ``mlflow.json`` in the run's folder."""

    experiment_id: str
    run_id: str


def read_counterpart(folder: RunFolder) -> Counterpart | None:
    """Return what is known of a run's counterpart; None when it has not been created yet."""
    from pydantic import TypeAdapter

    try:
        return TypeAdapter(Counterpart).validate_json(_file(folder).read_bytes())
    except (OSError, ValueError):  # it can be found again by its tag
        return None


def counterpart_lock(folder: RunFolder) -> FileLock:
    """Return the lock under which a counterpart is created and brought up to date."""
    return FileLock(folder.path / ".mlflow.lock", timeout=LOCK_TIMEOUT, is_singleton=True)


def find_or_create(folder: RunFolder, client: "MlflowClient") -> "Run":
    """Return a run's counterpart, which is created if there is none."""
    record, known = read_run(folder), read_counterpart(folder)
    if known:  # then also in an experiment that bears another name by now
        for run in _tagged(client, known.experiment_id, record.id):
            if run.info.run_id == known.run_id:
                return run
    with counterpart_lock(folder):
        experiment = find_experiment(client, tracking_of(record).experiment)
        runs = _tagged(client, experiment, record.id)
        run = runs[0] if runs else _create(client, experiment, record)
        place = Counterpart(run.info.experiment_id, run.info.run_id)
        with atomic_write(_file(folder)) as unfinished:
            unfinished.write_text(json.dumps(asdict(place)) + "\n")
    return run


def find_place(run: str, client: "MlflowClient") -> Counterpart | None:
    """Return where MLflow has a run, given its id; it is created if need be.

    None if the run is not to be in MLflow, or is not among our runs.
    """
    folder = RunFolder.of(run)
    with suppress(RunError):
        if read_counterpart(folder) is None:
            find_or_create(folder, client)
    return read_counterpart(folder)


def delete_duplicates(client: "MlflowClient", run: "Run", record: Record) -> None:
    """Delete what a slow server has created after it was thought not to answer."""
    for other in _tagged(client, run.info.experiment_id, record.id):
        if other.info.run_id != run.info.run_id:
            client.delete_run(other.info.run_id)


def delete(record: Record, client: "MlflowClient") -> list[Path]:
    """Delete a run's counterpart, its models and its view; return where its artifacts are.

    Those on our disks only.
    """
    experiment = client.get_experiment_by_name(tracking_of(record).experiment)
    if experiment is None:
        return []
    if isinstance(record, SweepRecord) and view_tag(record) in experiment.tags:
        client.delete_experiment_tag(experiment.experiment_id, view_tag(record))
    uris = []
    for run in _tagged(client, experiment.experiment_id, record.id):
        query = f"source_run_id = '{run.info.run_id}'"
        for model in client.search_logged_models([experiment.experiment_id], query):
            client.delete_logged_model(model.model_id)
            uris.append(model.artifact_location)
        client.delete_run(run.info.run_id)
        uris.append(run.info.artifact_uri)
    return [local_path(uri) for uri in uris if uri.startswith("file:")]


def family_tags(record: Record, client: "MlflowClient") -> dict[str, str]:
    """Return what makes a run the child of its sweep, if it has one."""
    if isinstance(record, SweepRecord) or record.sweep is None:
        return {}
    tags = {"mlp.sweep.key": record.sweep.key}
    folder = RunFolder.of(record.sweep.parent)
    if folder.record.exists():
        return tags | {"mlflow.parentRunId": find_or_create(folder, client).info.run_id}
    experiment = find_experiment(client, tracking_of(record).experiment)
    for parent in _tagged(client, experiment, record.sweep.parent):  # started on another machine
        tags["mlflow.parentRunId"] = parent.info.run_id
    return tags


def milliseconds(moment: datetime) -> int:
    """Return a time as milliseconds since 1970."""
    return round(moment.timestamp() * 1000)


def tracking_of(record: Record) -> Tracking:
    """Return where a run is mirrored; RunError if it is not."""
    if record.tracking is None:
        raise RunError(f"{record.name} was run with tracking=none: MLflow is not to have it")
    return record.tracking


def _file(folder: RunFolder) -> Path:
    return folder.path / "mlflow.json"


def _create(client: "MlflowClient", experiment: str, record: Record) -> "Run":
    return client.create_run(
        experiment,
        start_time=milliseconds(record.started),
        run_name=record.name,
        tags={ID: record.id} | family_tags(record, client),
    )


def _tagged(client: "MlflowClient", experiment: str, run_id: str) -> "list[Run]":
    """Return the MLflow runs that were created for one of ours."""
    return list(client.search_runs([experiment], f"tags.`{ID}` = '{run_id}'"))
