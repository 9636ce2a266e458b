"""Saved views of MLflow's UI: the columns of a list of runs, its order and its filter.

MLflow keeps them as tags of the experiment, and its addresses name them.
"""

import json
from collections.abc import Iterable
from typing import Any

from mlp.runs import SweepRecord
from mlp.tracking.metrics import best_key
from mlp.training import higher_is_better

KIND = {"mlflow.experimentKind": "custom_model_development"}  # no application of language models
PREFIX = "mlflow.sharedViewState."
RESULTS = "results"  # the view of all runs
METRIC_WIDTH, PARAM_WIDTH = 140, 120  # pixels, in which their names fit
METRICS = ("val_accuracy", "val_rmse", "val_loss")


def results_view(created: int) -> str:
    """Return the view of all runs, the latest first, as the value of a tag.

    Parameters
    ----------
    created : int
        In ms since 1970.
    """
    metrics = [*(f"best_{name}" for name in METRICS), "test_accuracy", "test_rmse"]
    params = ["data", "model.hidden_sizes", "optimizer", "optimizer.lr"]
    return _view("Results", created, metrics, params)


def sweep_view(record: SweepRecord, parent: str) -> str:
    """Return the view of a sweep's runs, the best one first.

    Parameters
    ----------
    record : SweepRecord
    parent : str
        The id of its run in MLflow.
    """
    own, best = best_key(record.monitor), record.best.best.metrics if record.best else {}
    others = [best_key(key) for key in best if key.startswith("val/")]
    metrics = [own, *others, "best_epoch", "test_accuracy", "test_rmse"]
    return _view(
        record.name,
        round(record.started.timestamp() * 1000),
        metrics,
        record.axes,
        searchFilter=f"tags.mlflow.parentRunId = '{parent}'",
        orderByKey=f"metrics.`{own}`",
        orderByAsc=not higher_is_better(record.monitor),
    )


def view_key(record: SweepRecord) -> str:
    """Return what addresses call the view of a sweep."""
    return record.id[:8]


def view_tag(record: SweepRecord) -> str:
    """Return the tag of the experiment that is the view of a sweep."""
    return f"{PREFIX}{view_key(record)}"


def _view(
    name: str, created: int, metrics: Iterable[str], params: Iterable[str], **facets: Any
) -> str:
    widths = {f"metrics.`{key}`": METRIC_WIDTH for key in metrics}
    widths |= {f"params.`{key}`": PARAM_WIDTH for key in params}
    columns = {"selectedColumns": [*widths], "columnOrder": [*widths], "columnWidths": widths}
    state = json.dumps(columns | facets)
    return json.dumps({"name": name, "createdAt": created, "updatedAt": created, "state": state})
