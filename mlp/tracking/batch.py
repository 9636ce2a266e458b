"""Metrics, params and tags of an MLflow run, within MLflow's limits."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mlflow import MlflowClient

LONGEST_PARAM = 6000
LONGEST_TAG = 8000
MetricRow = tuple[str, float, int, int]  # key, value, time in ms since 1970, step


def log_batch(
    client: "MlflowClient",
    run_id: str,
    metrics: Iterable[MetricRow] = (),
    params: Mapping[str, str] | None = None,
    tags: Mapping[str, Any] | None = None,
) -> None:
    """Send metrics, params and tags in one request, cut to the lengths that MLflow takes.

    Tags are sent as text; those that are None are left out.
    """
    from mlflow.entities import Metric, Param, RunTag

    given = {key: str(value) for key, value in (tags or {}).items() if value is not None}
    client.log_batch(
        run_id,
        metrics=[Metric(*row) for row in metrics],
        params=[Param(key, text[:LONGEST_PARAM]) for key, text in (params or {}).items()],
        tags=[RunTag(key, text[:LONGEST_TAG]) for key, text in given.items()],
    )
