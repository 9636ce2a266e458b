"""A sweep's page in MLflow: what it asks, what it has found, its leaderboard and figures.

All of it is computed from the sweep's folder and may be sent twice.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from mlp.base import RunError
from mlp.runs.differences import in_words, metric_in_words
from mlp.runs.folder import RunFolder, note_delivery, read_run
from mlp.runs.leaderboard import read_leaderboard
from mlp.tracking.counterpart import delete_doubles, milliseconds, mlflow_id
from mlp.tracking.delivery import LONGEST_PARAM, origin_tags, set_tags
from mlp.tracking.retry import patient
from mlp.tracking.store import stored_client

if TYPE_CHECKING:
    from mlflow.entities import Metric


def show_sweep(folder: RunFolder) -> None:
    """Bring a sweep's MLflow run up to date with its folder; without one, do nothing."""
    place = read_run(folder)["mlflow"]
    if place is None:
        return
    from mlflow.entities import Param

    client = patient(stored_client(place))
    run_id = mlflow_id(folder, client)
    record = read_run(folder)
    axes = {key: ", ".join(map(in_words, values)) for key, values in record["axes"].items()}
    params = [Param(key, text[:LONGEST_PARAM]) for key, text in axes.items()]
    client.log_batch(run_id, params=params, metrics=_metrics(record))
    set_tags(client, run_id, _tags(record) | {"mlflow.note.content": _note(record)})
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
    values |= {
        f"best/{key.replace('/', '_')}": value
        for key, value in best["metrics"].items()
        if key.startswith(("val/", "train/", "epoch"))
    }
    moment = milliseconds(record["ended"] or record["continued"])
    return [Metric(key, value, moment, 0) for key, value in values.items()]


def _tags(record: Mapping[str, Any]) -> dict[str, Any]:
    best = record["best"] or {}
    return origin_tags(record) | {
        "mlp.kind": "sweep",
        "mlp.sweep.identity": record["identity"],
        "mlp.sweep.best": best.get("run"),
        "mlp.stop_reason": record["stop_reason"],
    }


def _note(record: Mapping[str, Any]) -> str:
    """Return the sweep in some lines of Markdown; of a folded page, the first is to be seen."""
    best = record["best"]
    found = ""
    if best:
        value = metric_in_words(best["metric"], best["value"])
        found = f" Best: **{best['name']}**, {best['metric']} {value}."
    axes = [
        f"- `{key}`: {', '.join(map(in_words, values))}" for key, values in record["axes"].items()
    ]
    parts = [
        f"{record['stop_reason'] or 'Under way'}.{found}",
        _ranking(record["id"]),
        "\n".join(axes),
        f"Again, or on:\n\n```\n{record['command']}\n```",
    ]
    return "\n\n".join(part for part in parts if part)


def _ranking(sweep: str, most: int = 10) -> str:
    """Return the first rows of the leaderboard; '' when there is none yet."""
    try:
        board = read_leaderboard([sweep])
    except RunError:
        return ""
    cells = [["", "", board.metric, "epoch"]]
    for rank, row in enumerate(board.rows[:most], 1):
        cells.append([str(rank), row.name, row.in_words(board.metric), f"{row.best_epoch:.0f}"])
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = ["  ".join(map(str.ljust, line, widths)).rstrip() for line in cells]
    return "\n".join(["```", *lines, "```"])  # MLflow sets the columns of a table without a gap
