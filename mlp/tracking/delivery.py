"""The projection of a run folder onto its MLflow run.

Everything here is computed from the folder alone and may be done twice: MLflow stores equal
(key, timestamp, step, value) rows, params, tags, inputs and files once. So a run that could not be
delivered is delivered by projecting its folder again.
"""

import json
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from mlp.runs.folder import RunFolder, note_delivery, read_config, read_history, read_run
from mlp.tracking.counterpart import ID, delete_doubles, family_tags, milliseconds, mlflow_id
from mlp.tracking.description import describe
from mlp.tracking.logged_model import log_model
from mlp.tracking.retry import patient
from mlp.tracking.store import stored_client

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import DatasetInput, Metric

LONGEST_PARAM = 6000
LONGEST_TAG = 8000
LONGEST_DIGEST = 36  # MLflow's limit; the full one is a tag


def project(folder: RunFolder, client: "MlflowClient | None" = None, rows_sent: int = 0) -> None:
    """Bring a run's MLflow run up to date with its folder; without one, do nothing.

    Parameters
    ----------
    folder : RunFolder
    client : MlflowClient, optional
        Default: a client of the store where the run was opened.
    rows_sent : int
        Rows of the history that are known to be there already.
    """
    place = read_run(folder)["mlflow"]
    if place is None:
        return
    client = patient(client or stored_client(place))
    run_id = mlflow_id(folder, client)
    record = read_run(folder)
    try:
        project_opening(folder, client)
        rows = read_history(folder)
        project_metrics(client, run_id, rows[rows_sent:])
        client.log_batch(run_id, metrics=_final_metrics(record, rows))
        set_tags(client, run_id, _outcome_tags(record))
        _log_files(folder, client, run_id)
        if record["status"] == "FINISHED" and folder.weights.exists():
            log_model(folder, client, run_id)
        delete_doubles(record, client)
    finally:  # an ended run must not look as if it went on, whatever else was refused
        if record["ended"]:
            client.set_terminated(run_id, record["status"], milliseconds(record["ended"]))
    note_delivery(folder, record)


def project_opening(folder: RunFolder, client: "MlflowClient") -> None:
    """Send what is known when a run begins: params, tags, the data."""
    from mlflow.entities import Param

    run_id = mlflow_id(folder, client)
    record, config = read_run(folder), read_config(folder)
    params = [Param(k, v[:LONGEST_PARAM]) for k, v in flatten(config).items()]
    client.log_batch(run_id, params=params)
    set_tags(client, run_id, _opening_tags(record) | family_tags(record, client))
    client.log_inputs(run_id, [_dataset_input(record["data"])])
    if record.get("resumed") and read_run(folder)["status"] == "RUNNING":  # it had ended there
        client.update_run(run_id, "RUNNING")


def project_metrics(
    client: "MlflowClient", run_id: str, rows: Iterable[Mapping[str, float]]
) -> None:
    """Send rows of the history, each metric at its epoch and its recorded time."""
    from mlflow.entities import Metric

    metrics = [
        Metric(key, value, int(row["timestamp"]), int(row["epoch"]))
        for row in rows
        for key, value in row.items()
        if key not in ("epoch", "timestamp")
    ]
    client.log_batch(run_id, metrics=metrics)


def stored_rows(client: "MlflowClient", run_id: str, after: int) -> dict[int, dict[str, float]]:
    """Return what MLflow has of the epochs after one, as rows of the history, by epoch."""
    run = client.get_run(run_id)
    rows: dict[int, dict[str, float]] = {}
    for name in run.data.metrics:
        if name.startswith(("best/", "test/", "eval/")):
            continue
        for metric in client.get_metric_history(run_id, name):
            if metric.step > after:
                row = rows.setdefault(metric.step, {"timestamp": metric.timestamp})
                row[name] = metric.value
    return rows


def flatten(config: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    """Return ``{"model.hidden_sizes": "[128, 64]", ...}``: dotted keys, values as text."""
    flat: dict[str, str] = {}
    for key, value in config.items():
        if isinstance(value, Mapping) and value:
            flat |= flatten(value, f"{prefix}{key}.")
        else:
            flat[f"{prefix}{key}"] = value if isinstance(value, str) else json.dumps(value)
    return flat


def _final_metrics(
    record: Mapping[str, Any], rows: Iterable[Mapping[str, float]]
) -> "list[Metric]":
    """Return the best epoch's figures, at that epoch, and the evaluations', at their time."""
    from mlflow.entities import Metric

    best = record["best"] or {}
    step = int(best.get("epoch", 0))
    part = "val/" if "val/loss" in best else "train/"
    times = {row["epoch"]: int(row["timestamp"]) for row in rows}
    metrics = [
        # val/loss becomes best/val_loss; the epoch's own time makes it the same row another time
        Metric(f"best/{key.replace('/', '_')}", value, times[step], step)
        for key, value in best.items()
        if step in times and (key == "epoch" or key.startswith(part))
    ]
    evaluations = {f"eval/{name}": found for name, found in record["evaluations"].items()}
    for prefix, found in ({"test": record["test"]} | evaluations).items():
        metrics += [
            Metric(f"{prefix}/{key}", value, found["timestamp"], step)
            for key, value in (found or {}).items()
            if key != "timestamp"
        ]
    return metrics


def origin_tags(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a run or a sweep comes from: the command, the code, the machine."""
    origin, git = record["provenance"], record["provenance"]["git"] or {}
    tags = {
        "mlflow.runName": record["name"],
        "mlflow.user": origin["user"],
        "mlflow.source.type": "LOCAL",
        "mlflow.source.name": record["command"],
        "mlflow.source.git.commit": git.get("commit"),
        "mlflow.source.git.branch": git.get("branch"),
        "mlp.git.dirty": git.get("dirty"),
        ID: record["id"],
        "mlp.host": origin["host"],
        "mlp.platform": origin["platform"],
        "mlp.blas.library": f"{origin['blas']['library']} {origin['blas']['version']}",
        "mlp.blas.threads": origin["blas"]["threads"],
    }
    return tags | {f"mlp.version.{name}": version for name, version in origin["versions"].items()}


def _opening_tags(record: Mapping[str, Any]) -> dict[str, Any]:
    tags = {"mlp.data.digest": record["data"]["digest"], "mlp.init_from": record.get("init_from")}
    for resumption in record.get("resumed", []):  # what is a param cannot be changed in MLflow
        tags |= {f"mlp.resumed.{key}": value for key, value in resumption["changes"].items()}
        tags["mlp.resumed"] = resumption["at"]
    return record["tags"] | origin_tags(record) | tags


def _outcome_tags(record: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "mlp.stop_reason": record["stop_reason"],
        "mlp.pruned": "true" if record.get("pruned") else None,
        "mlflow.note.content": describe(record),
    }


def set_tags(client: "MlflowClient", run_id: str, tags: Mapping[str, Any]) -> None:
    """Set tags as text; those that are None are left out."""
    from mlflow.entities import RunTag

    texts = {key: str(value)[:LONGEST_TAG] for key, value in tags.items() if value is not None}
    client.log_batch(run_id, tags=[RunTag(key, text) for key, text in texts.items()])


def _dataset_input(data: Mapping[str, Any]) -> "DatasetInput":
    from mlflow.entities import Dataset, DatasetInput, InputTag

    names = ("n_train", "n_val", "n_test", "n_in", "classes", "image_shape", "digest")
    columns = [
        {"name": f"x ({data['n_in']})", "type": "float", "required": True},
        {"name": f"y ({len(data['classes'])} classes)", "type": "long", "required": True},
    ]
    dataset = Dataset(
        name=data["name"],
        digest=data["digest"][:LONGEST_DIGEST],
        source_type="mlp",
        source=json.dumps({"data": data["name"]}),
        schema=json.dumps({"mlflow_colspec": columns}),
        profile=json.dumps({name: data[name] for name in names}),
    )
    return DatasetInput(dataset, [InputTag("mlflow.data.context", "training")])


def _log_files(folder: RunFolder, client: "MlflowClient", run_id: str) -> None:
    """Copy the run's files to its artifacts; what else lies in the folder stays there."""
    files = (folder.config, folder.overrides, folder.record, folder.history, folder.log)
    for file in (*files, folder.test_predictions, folder.traceback, folder.diff):
        if file.exists():
            client.log_artifact(run_id, str(file))
    for place in (folder.weights, folder.figures, folder.evaluations):
        for file in sorted(path for path in place.rglob("*") if path.is_file()):
            client.log_artifact(run_id, str(file), str(file.parent.relative_to(folder.path)))
