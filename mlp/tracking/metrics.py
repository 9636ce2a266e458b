"""The figures of a run that has ended, under the names that they have in MLflow.

MLflow makes a section of charts from what stands before a slash, and puts what has none last; a
value at step 0 becomes a bar, another one a curve. So the curves of ``train/`` and ``val/`` come
first, and the figures of the end are bars behind them.
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict

from mlp.runs import RunRecord, SweepRecord
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
    """Return the figures of a sweep's best run."""
    best = record.best.best if record.best else None
    figures = {k: v for k, v in best.metrics.items() if k.startswith("val/")} if best else {}
    if best and not figures:
        figures = best.metrics
    return {best_key(key): value for key, value in figures.items()}
