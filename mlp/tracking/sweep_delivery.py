"""A sweep's page in MLflow: its axes, its results, its leaderboard and its figures."""

from typing import TYPE_CHECKING, Any

from mlp.base import RunError
from mlp.runs import RunFolder, SweepRecord, in_words, metric_in_words, read_leaderboard
from mlp.tracking.artifacts import files_in, subfolder
from mlp.tracking.counterpart import milliseconds
from mlp.tracking.tags import as_params, as_tags, fenced, origin_tags

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Metric, Run


def send_sweep(folder: RunFolder, record: SweepRecord, run: "Run", client: "MlflowClient") -> None:
    """Bring a sweep's MLflow run up to date with its folder."""
    run_id = run.info.run_id
    axes = {key: ", ".join(map(in_words, values)) for key, values in record.axes.items()}
    tags = _tags(record) | {"mlflow.note.content": _note(record)}
    new = [m for m in _metrics(record) if run.data.metrics.get(m.key) != m.value]
    client.log_batch(run_id, params=as_params(axes), metrics=new, tags=as_tags(tags))
    for place in (folder.record, folder.path / "leaderboard.csv", folder.log, folder.figures):
        for file in files_in(place):
            client.log_artifact(run_id, str(file), subfolder(file, folder.path))
    if not record.ended and run.info.status != record.status:  # it goes on
        client.update_run(run_id, record.status)


def _metrics(record: SweepRecord) -> "list[Metric]":
    """Return the number of jobs in each state, and the best one's metrics."""
    from mlflow.entities import Metric

    best = record.best.best.metrics if record.best else {}
    values: dict[str, float] = {f"jobs/{state}": n for state, n in record.counts.items()}
    values |= {
        f"best/{key.replace('/', '_')}": value
        for key, value in best.items()
        if key.startswith(("val/", "train/"))
    }
    moment = milliseconds(record.ended or record.continued or record.started)
    return [Metric(key, value, moment, 0) for key, value in values.items()]


def _tags(record: SweepRecord) -> dict[str, Any]:
    return origin_tags(record) | {
        "mlp.kind": "sweep",
        "mlp.sweep.identity": record.identity,
        "mlp.sweep.best": record.best and record.best.run,
        "mlp.stop_reason": record.stop_reason,
    }


def _note(record: SweepRecord) -> str:
    """Return the sweep in some lines of Markdown; a folded page shows the first."""
    best, found = record.best, ""
    if best:
        value = metric_in_words(best.metric, best.value)
        found = f" Best: **{best.name}**, {best.metric} {value}."
    axes = [f"- `{key}`: {', '.join(map(in_words, values))}" for key, values in record.axes.items()]
    parts = [
        f"{record.stop_reason or 'Running'}.{found}",
        _ranking(record.id),
        "\n".join(axes),
        f"To repeat or continue it:\n\n{fenced(record.command)}",
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
    return fenced("\n".join(lines))  # MLflow sets the columns of a table without a gap
