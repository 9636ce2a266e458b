"""A sweep's page in MLflow: what it asks, what it has found, its leaderboard and figures.

All of it is computed from the sweep's folder and may be sent twice.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from mlp.sweep.differences import in_words
from mlp.tracking import RunFolder, mlflow_client, read_run
from mlp.tracking.folder import note_delivery
from mlp.tracking.mlflow_run import delete_doubles, milliseconds, mlflow_id
from mlp.tracking.patient import patient
from mlp.tracking.projection import LONGEST_PARAM, origin_tags, set_tags

if TYPE_CHECKING:
    from mlflow.entities import Metric


def show_sweep(folder: RunFolder) -> None:
    """Bring a sweep's MLflow run up to date with its folder; without one, do nothing."""
    place = read_run(folder)["mlflow"]
    if place is None:
        return
    from mlflow.entities import Param

    client = patient(mlflow_client(place["tracking_uri"]))
    run_id = mlflow_id(folder, client)
    record = read_run(folder)
    axes = {key: ", ".join(map(in_words, values)) for key, values in record["axes"].items()}
    params = [Param(key, text[:LONGEST_PARAM]) for key, text in axes.items()]
    client.log_batch(run_id, params=params, metrics=_metrics(record))
    set_tags(client, run_id, _tags(record))
    for file in (folder.record, folder.path / "leaderboard.csv", folder.log):
        if file.exists():
            client.log_artifact(run_id, str(file))
    for figure in sorted(folder.figures.glob("*.png")):
        client.log_artifact(run_id, str(figure), "figures")
    if record["ended"]:
        client.set_terminated(run_id, record["status"], milliseconds(record["ended"]))
    else:
        client.update_run(run_id, record["status"])
    delete_doubles(record, client)
    note_delivery(folder, record)


def _metrics(record: Mapping[str, Any]) -> "list[Metric]":
    """Return how many jobs have come to what, and the best one's figures."""
    from mlflow.entities import Metric

    best = record["best"] or {"metrics": {}}
    values = {f"jobs/{state}": n for state, n in record["counts"].items()}
    values |= {f"best/{key.replace('/', '_')}": v for key, v in best["metrics"].items()}
    moment = milliseconds(record["ended"] or record["continued"])
    return [Metric(key, value, moment, 0) for key, value in values.items()]


def _tags(record: Mapping[str, Any]) -> dict[str, Any]:
    best = record["best"] or {}
    return origin_tags(record) | {
        "mlp.kind": "sweep",
        "mlp.sweep.identity": record["identity"],
        "mlp.sweep.best": best.get("run"),
        "mlp.stop_reason": record["stop_reason"],
        "mlflow.note.content": _note(record),
    }


def _note(record: Mapping[str, Any]) -> str:
    """Return the sweep in a few lines of Markdown."""
    axes = [
        f"- `{key}`: {', '.join(map(in_words, values))}" for key, values in record["axes"].items()
    ]
    best = record["best"]
    parts = [
        f"{record['stop_reason'] or 'Under way'}.",
        "\n".join(axes),
        f"Best by {best['metric']}, {best['value']:.4f}: **{best['name']}** (`{best['run']}`)."
        if best
        else "",
        f"Again, or on:\n\n```\n{record['command']}\n```",
    ]
    return "\n\n".join(part for part in parts if part)
