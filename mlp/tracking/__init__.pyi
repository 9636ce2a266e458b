from .counterpart import ID, create, delete, milliseconds, mlflow_id
from .delivery import flatten, project, stored_rows
from .follower import Follower
from .store import (
    MLflowTracking,
    NoTracking,
    is_lost,
    is_outage,
    keep_mlflow_quiet,
    mlflow_client,
    reason_of,
    stored_client,
    tracking_uri,
)

__all__ = [
    "ID",
    "Follower",
    "MLflowTracking",
    "NoTracking",
    "create",
    "delete",
    "flatten",
    "is_lost",
    "is_outage",
    "keep_mlflow_quiet",
    "milliseconds",
    "mlflow_client",
    "mlflow_id",
    "project",
    "reason_of",
    "stored_client",
    "stored_rows",
    "tracking_uri",
]
