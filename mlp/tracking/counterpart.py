"""A run's counterpart in MLflow: created once, even where an answer of the server was lost.

A run is created with its id of ours as a tag. Where the server cannot answer, the run goes on with
that id alone; later the tag tells whether the server had created it after all.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from filelock import FileLock

from mlp.base import runs_dir
from mlp.runs.folder import RunFolder, read_run, update_run
from mlp.tracking.store import find_experiment

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run

ID = "mlp.id"  # the tag that bears a run's id of ours
PATIENCE = 30.0  # seconds to wait for another process that is just creating the same run


def create(client: "MlflowClient", record: dict[str, Any]) -> None:
    """Create a run's counterpart, and put its place into the record's ``mlflow``."""
    experiment = find_experiment(client, record["mlflow"]["experiment"])
    _note(record, _create(client, experiment, record))


def mlflow_id(folder: RunFolder, client: "MlflowClient") -> str:
    """Return the id of a run's counterpart, which is created if that was not possible before.

    Parameters
    ----------
    folder : RunFolder
        Of a run or a sweep that is to be in MLflow.
    client : MlflowClient
        Of its store.
    """
    known = read_run(folder)["mlflow"]["run_id"]
    if known:
        return known
    with FileLock(folder.path / ".mlflow.lock", timeout=PATIENCE):
        record = read_run(folder)
        if record["mlflow"]["run_id"] is None:
            experiment = find_experiment(client, record["mlflow"]["experiment"])
            runs = _with_tag(client, experiment, record["id"])
            _note(record, runs[0] if runs else _create(client, experiment, record))
            update_run(folder, mlflow=record["mlflow"])
    return record["mlflow"]["run_id"]


def delete_doubles(record: Mapping[str, Any], client: "MlflowClient") -> None:
    """Delete what a slow server has created after it was thought not to answer."""
    place = record["mlflow"]
    if place["run_id"] != record["id"]:  # it could not be created at once
        for run in _with_tag(client, place["experiment_id"], record["id"]):
            if run.info.run_id != place["run_id"]:
                client.delete_run(run.info.run_id)


def delete(record: Mapping[str, Any], client: "MlflowClient") -> list[str]:
    """Delete a run's counterpart and its models; return where their artifacts are, as URIs."""
    place = record["mlflow"]
    experiment = place["experiment_id"]  # None where the server has not been reached yet
    if experiment is None:
        named = client.get_experiment_by_name(place["experiment"])
        if named is None:
            return []
        experiment = named.experiment_id
    query = f"attributes.run_id = '{place['run_id']}'"
    runs = client.search_runs([experiment], query)
    known = {run.info.run_id for run in runs}
    found = _with_tag(client, experiment, record["id"])
    runs += [run for run in found if run.info.run_id not in known]
    uris = []
    for run in runs:
        query = f"source_run_id = '{run.info.run_id}'"
        for model in client.search_logged_models([experiment], query):
            client.delete_logged_model(model.model_id)
            uris.append(model.artifact_location)
        client.delete_run(run.info.run_id)
        uris.append(run.info.artifact_uri)
    return uris


def family_tags(record: Mapping[str, Any], client: "MlflowClient") -> dict[str, str]:
    """Return what makes a run the child of its sweep, if it has one."""
    sweep = record.get("sweep")
    if not sweep:
        return {}
    parent = RunFolder(runs_dir() / sweep["parent"])
    known = parent.record.exists()  # else the sweep was started on another machine
    parent_id = mlflow_id(parent, client) if known else sweep["parent"]
    return {"mlflow.parentRunId": parent_id, "mlp.sweep.key": sweep["key"]}


def milliseconds(moment: str) -> int:
    """Return an ISO time as milliseconds since 1970."""
    return round(datetime.fromisoformat(moment).timestamp() * 1000)


def _create(client: "MlflowClient", experiment: str, record: Mapping[str, Any]) -> "Run":
    return client.create_run(
        experiment,
        start_time=milliseconds(record["started"]),
        run_name=record["name"],
        tags={ID: record["id"]} | family_tags(record, client),
    )


def _with_tag(client: "MlflowClient", experiment: str, run_id: str) -> "list[Run]":
    """Return the runs that were created for one of ours."""
    return client.search_runs([experiment], f"tags.`{ID}` = '{run_id}'")


def _note(record: dict[str, Any], run: "Run") -> None:
    place = {"run_id": run.info.run_id, "experiment_id": run.info.experiment_id}
    record["mlflow"] = record["mlflow"] | place
    record["name"] = record["name"] or run.info.run_name
