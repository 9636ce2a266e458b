"""The figures of a run that has ended, under the names that they have in MLflow.

MLflow makes a section of charts from what stands before a slash, and puts what has none last; a
value at step 0 becomes a bar, another one a curve. So the curves of ``train/`` and ``val/`` come
first, and the figures of the end are bars behind them.
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict

from mlp.base import RunError
from mlp.runs import RunFolder, RunRecord, SweepRecord, read_training
from mlp.tracking.batch import MetricRow

STEP = 0


def best_key(metric: str) -> str:
    """Return the name of a metric's value in the best epoch: ``best_val_loss``."""
    return f"best_{metric.replace('/', '_')}"


def final_metrics(record: RunRecord, rows: Iterable[Mapping[str, float]]) -> list[MetricRow]:
    """Return the best epoch's figures, and the evaluations', each at its own time.

    So a better epoch of a run that was resumed replaces the earlier one.
    """
    best = record.metrics
    part = "val/" if "val/loss" in best else "train/"
    times = {row["epoch"]: int(row["timestamp"]) for row in rows}
    time = times.get(best.get("epoch", 0))
    metrics = [
        (best_key(key), value, time, STEP)
        for key, value in best.items()
        if time is not None and (key == "epoch" or key.startswith(part))
    ]
    if record.test and (verdict := record.verdict):
        metrics += [
            (f"verdict_{key}", value, record.test.timestamp, STEP)
            for key, value in asdict(verdict).items()
        ]
    return metrics + [
        (f"{name}/{key}".replace("/", "_"), value, test.timestamp, STEP)
        for name, test in record.tests.items()
        for key, value in test.metrics.items()
    ]


def sweep_metrics(record: SweepRecord) -> dict[str, float]:
    """Return the figures of a sweep's best run, under the names that they have in that run."""
    if record.best is None:
        return {}
    best = record.best.best.metrics
    part = "val/" if "val/loss" in best else "train/"
    figures = {best_key(key): value for key, value in best.items() if key.startswith(part)}
    try:
        test = read_training(RunFolder.of(record.best.run)).test
    except RunError:  # the run is on another machine, or was deleted
        return figures
    return figures | {f"test_{key}": v for key, v in (test.metrics if test else {}).items()}
