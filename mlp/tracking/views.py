"""Saved views of MLflow's UI: the columns of a list of runs, its order and its filter.

MLflow keeps them as tags of the experiment, and its addresses name them.
"""

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from mlp.runs import SweepRecord
from mlp.tracking.metrics import best_key
from mlp.training import higher_is_better

if TYPE_CHECKING:
    from mlflow import MlflowClient

KIND = {"mlflow.experimentKind": "custom_model_development"}  # no application of language models
PREFIX = "mlflow.sharedViewState."
RESULTS = "results"  # the view of all runs
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
    return _view("Results", created, columns=_columns(metrics, params))


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
        columns=_columns(metrics, record.axes),
        searchFilter=f"tags.mlflow.parentRunId = '{parent}'",
        orderByKey=f"metrics.`{own}`",
        orderByAsc=not higher_is_better(record.monitor),
    )


def view_key(record: SweepRecord) -> str:
    """Return what addresses call the view of a sweep."""
    return record.id[:8]


def set_tags(client: "MlflowClient", experiment: str, tags: dict[str, str]) -> None:
    """Give an experiment those of some tags that it has not."""
    known = client.get_experiment(experiment).tags
    for key, value in tags.items():
        if known.get(key) != value:
            client.set_experiment_tag(experiment, key, value)


def _columns(metrics: Iterable[str], params: Iterable[str]) -> list[str]:
    columns = ["attributes.`Duration`"]
    columns += [f"metrics.`{key}`" for key in dict.fromkeys(metrics)]
    return columns + [f"params.`{key}`" for key in params]


def _view(name: str, created: int, columns: list[str], **facets: Any) -> str:
    state = json.dumps({"selectedColumns": columns, **facets})
    return json.dumps({"name": name, "createdAt": created, "updatedAt": created, "state": state})
