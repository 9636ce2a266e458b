"""Params and tags of an MLflow run, within MLflow's limits."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from mlp.runs import Record

if TYPE_CHECKING:
    from mlflow.entities import Param, RunTag

ID = "mlp.id"  # bears the run's own id; nothing without it is ever touched
LONGEST_PARAM = 6000
LONGEST_TAG = 8000


def as_params(values: Mapping[str, str]) -> "list[Param]":
    """Return params, cut to the length that MLflow takes."""
    from mlflow.entities import Param

    return [Param(key, text[:LONGEST_PARAM]) for key, text in values.items()]


def as_tags(values: Mapping[str, Any]) -> "list[RunTag]":
    """Return tags as text; those that are None are left out."""
    from mlflow.entities import RunTag

    known = {key: str(value) for key, value in values.items() if value is not None}
    return [RunTag(key, text[:LONGEST_TAG]) for key, text in known.items()]


def origin_tags(record: Record) -> dict[str, Any]:
    """Return what a run or a sweep comes from: the command, the code, the machine."""
    origin, git = record.provenance, record.provenance.git
    tags = {
        ID: record.id,
        "mlflow.runName": record.name,
        "mlflow.user": origin.user,
        "mlflow.source.type": "LOCAL",
        "mlflow.source.name": record.command,
        "mlflow.source.git.commit": git and git.commit,
        "mlflow.source.git.branch": git and git.branch,
        "mlp.git.dirty": git and git.dirty,
        "mlp.host": origin.host,
        "mlp.platform": origin.platform,
        "mlp.blas.library": f"{origin.blas.library} {origin.blas.version}",
        "mlp.blas.threads": origin.blas.threads,
    }
    return tags | {f"mlp.version.{name}": version for name, version in origin.versions.items()}


def fenced(text: str) -> str:
    """Return a block of Markdown code that its own content cannot end."""
    fence = "```"
    while fence in text:
        fence += "`"
    return f"{fence}\n{text}\n{fence}"
