"""Delivery of a run's folder to MLflow.

Everything here is computed from the folder alone and may be done twice: MLflow stores equal
(key, timestamp, step, value) rows, params, tags, inputs and files once. So a run that could not be
delivered is delivered by doing it again.
"""

import json
from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from mlp.runs import (
    Record,
    RunFolder,
    RunRecord,
    SweepRecord,
    in_words,
    read_config,
    read_history,
    read_overrides,
    read_run,
    read_training,
)
from mlp.tracking.address import is_remote
from mlp.tracking.artifacts import store_files
from mlp.tracking.batch import MetricRow, log_batch
from mlp.tracking.counterpart import (
    ID,
    counterpart_lock,
    delete_duplicates,
    family_tags,
    find_or_create,
    find_place,
    milliseconds,
    tracking_of,
)
from mlp.tracking.description import describe, describe_sweep
from mlp.tracking.logged_model import log_model
from mlp.tracking.metrics import STEP, final_metrics, sweep_metrics
from mlp.tracking.params import chosen_params
from mlp.tracking.retry import retrying
from mlp.tracking.store import client_of
from mlp.tracking.views import sweep_view, view_tag

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import DatasetInput, Run

DIGEST = 8  # characters of it that MLflow shows; the full one is in run.json
LARGEST_BATCH = 1000  # metrics in one request


def deliver(folder: RunFolder, client: "MlflowClient | None" = None) -> None:
    """Send everything of a run or a sweep that MLflow does not have yet.

    Parameters
    ----------
    folder : RunFolder
    client : MlflowClient, optional
        Default: a client of the store that the record names.

    Raises
    ------
    RunError
        When the run is not to be in MLflow, or its store does not exist.
    """
    record = read_run(folder)
    client = client or retrying(client_of(tracking_of(record)))
    with counterpart_lock(folder):
        run = find_or_create(folder, client)
        try:
            if isinstance(record, SweepRecord):
                _send_sweep(folder, record, run, client)
            else:
                _send_training(folder, record, run, client)
            if is_remote(client.tracking_uri):
                delete_duplicates(client, run, record)
        finally:  # an ended run must not look as if it went on, whatever else was refused
            if record.ended:
                client.set_terminated(run.info.run_id, record.status, milliseconds(record.ended))


def send_opening(folder: RunFolder, client: "MlflowClient") -> "Run":
    """Send what is known when a training begins, and return the MLflow run."""
    record, run = read_training(folder), find_or_create(folder, client)
    params, tags = _origin(folder, record, client)
    log_batch(client, run.info.run_id, params=params, tags=tags)
    client.log_inputs(run.info.run_id, [_dataset_input(record)])
    if run.info.status != "RUNNING":  # it had ended before it was resumed
        client.update_run(run.info.run_id, "RUNNING")
    return run


def send_rows(
    client: "MlflowClient", run_id: str, rows: Sequence[Mapping[str, float]], monitor: str
) -> None:
    """Send rows of the history, each metric at its epoch and its recorded time.

    A request holds whole rows, so that MLflow has a row completely or not at all. The monitored
    metric comes first: MLflow's comparison of runs opens with that.
    """
    n = max(1, LARGEST_BATCH // max(map(len, rows), default=1))
    for first in range(0, len(rows), n):
        log_batch(client, run_id, _row_metrics(rows[first : first + n], monitor))


def _row_metrics(rows: Sequence[Mapping[str, float]], monitor: str) -> list[MetricRow]:
    return [
        (key, value, int(row["timestamp"]), int(row["epoch"]))
        for row in rows
        for key, value in sorted(row.items(), key=lambda item: item[0] != monitor)
        if key not in ("epoch", "timestamp")
    ]


def last_epoch(client: "MlflowClient", run: "Run", rows: Sequence[Mapping[str, float]]) -> int:
    """Return the last epoch of which MLflow has a row."""
    for name in next(iter(rows), {}):
        if name in run.data.metrics:
            return max(m.step for m in client.get_metric_history(run.info.run_id, name))
    return 0


def _send_training(
    folder: RunFolder, record: RunRecord, run: "Run", client: "MlflowClient"
) -> None:
    run_id, rows = run.info.run_id, read_history(folder)
    params, tags = _origin(folder, record, client)
    known = last_epoch(client, run, rows)
    new, final = [row for row in rows if row["epoch"] > known], final_metrics(record, rows)
    if sum(map(len, new)) + len(final) <= LARGEST_BATCH:  # all in one request
        final = _row_metrics(new, record.monitor) + final
    else:
        send_rows(client, run_id, new, record.monitor)
    tags |= {
        "mlp.stop_reason": record.stop_reason,
        "mlp.pruned": "true" if record.pruned else None,
        "mlp.verdict": record.verdict and record.verdict.word,
        "mlflow.note.content": describe(record),
    }
    log_batch(client, run_id, final, params, tags)
    client.log_inputs(run_id, [_dataset_input(record)])
    places = [folder.config, folder.overrides, folder.record, folder.history, folder.log]
    places += [folder.test_predictions, folder.traceback, folder.diff, folder.code]
    places += [folder.inspections]
    places += [folder.figures, folder.evaluations, folder.weights]
    log = partial(client.log_artifact, run_id)
    store_files(places, folder.path, run.info.artifact_uri, log)
    if record.status == "FINISHED" and folder.weights.exists():
        log_model(folder, record, run, client)


def _origin(
    folder: RunFolder, record: RunRecord, client: "MlflowClient"
) -> tuple[dict[str, str], dict[str, Any]]:
    """Return params and tags that are known when a training begins."""
    tags = record.tags | _origin_tags(record) | family_tags(record, client)
    tags["mlp.init_from"] = record.init_from
    for resumption in record.resumed:  # what is a param cannot be changed in MLflow
        tags |= {f"mlp.resumed.{key}": value for key, value in resumption.changes.items()}
        tags["mlp.resumed"] = resumption.at.isoformat()
    config = read_config(folder)
    if record.members:  # the rest is the first member's
        config = {"data": config["data"]} if "data" in config else {}
        tags["mlp.members"] = " ".join(record.members)
    return chosen_params(config, read_overrides(folder)), tags


def _origin_tags(record: Record) -> dict[str, Any]:
    """Return what MLflow shows of the origin; all of it is in ``run.json``, an artifact."""
    origin, git = record.provenance, record.provenance.git
    return {
        ID: record.id,
        "mlflow.runName": record.name,
        "mlflow.user": origin.user,
        "mlflow.source.type": "LOCAL",
        "mlflow.source.name": record.command,
        "mlflow.source.git.commit": git and git.commit,
        "mlflow.source.git.branch": git and git.branch,
    }


def _dataset_input(record: RunRecord) -> "DatasetInput":
    from mlflow.entities import Dataset, DatasetInput, InputTag

    data = record.data
    names = {"n_train", "n_val", "n_test", "n_in", "classes", "image_shape", "digest"}
    what = f"{len(data.classes)} classes" if data.classes else ", ".join(data.targets)
    inputs = {f"x ({data.n_in})": "float"}
    if data.columns:
        types = {"numeric": "double", "boolean": "boolean", "categorical": "string"}
        inputs = {name: types[kind] for name, kind in data.columns.items()}
    inputs[f"y ({what})"] = "long" if data.classes else "double"
    columns = [{"name": name, "type": kind, "required": True} for name, kind in inputs.items()]
    dataset = Dataset(
        name=data.name,
        digest=data.digest[:DIGEST],
        source_type="mlp",
        source=json.dumps({"data": data.name}),
        schema=json.dumps({"mlflow_colspec": columns}),
        profile=data.model_dump_json(include=names),
    )
    return DatasetInput(dataset, [InputTag("mlflow.data.context", "training")])


def _send_sweep(folder: RunFolder, record: SweepRecord, run: "Run", client: "MlflowClient") -> None:
    """Bring a sweep's page up to date: its axes, its results, its leaderboard and its figures."""
    run_id = run.info.run_id
    axes = {key: ", ".join(map(in_words, values)) for key, values in record.axes.items()}
    tags = _origin_tags(record) | {
        "mlp.kind": "sweep",
        "mlp.sweep.identity": record.identity,
        "mlp.sweep.best": record.best and record.best.run,
        "mlp.stop_reason": record.stop_reason,
        "mlflow.note.content": describe_sweep(
            record, run.info.experiment_id, partial(find_place, client=client)
        ),
    }
    values = sweep_metrics(record)
    moment = milliseconds(record.ended or record.continued or record.started)
    new = [(k, v, moment, STEP) for k, v in values.items() if run.data.metrics.get(k) != v]
    log_batch(client, run_id, new, axes, tags)
    places = [folder.record, folder.path / "leaderboard.csv", folder.log, folder.figures]
    places.append(folder.report)
    log = partial(client.log_artifact, run_id)
    store_files(places, folder.path, run.info.artifact_uri, log)
    view, experiment = sweep_view(record, run_id), client.get_experiment(run.info.experiment_id)
    if experiment.tags.get(view_tag(record)) != view:
        client.set_experiment_tag(experiment.experiment_id, view_tag(record), view)
    if not record.ended and run.info.status != record.status:  # it goes on
        client.update_run(run_id, record.status)
