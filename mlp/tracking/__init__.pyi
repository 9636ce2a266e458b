from .counterpart import delete, read_counterpart
from .delivery import deliver
from .mirror_control import ensure_mirror, wait_for_delivery
from .store import (
    MLflowTracking,
    NoTracking,
    client_of,
    is_lost,
    is_outage,
    is_remote,
    mlflow_client,
    reason_of,
    tracking_uri,
    uri_of,
)

__all__ = [
    "MLflowTracking",
    "NoTracking",
    "client_of",
    "delete",
    "deliver",
    "ensure_mirror",
    "is_lost",
    "is_outage",
    "is_remote",
    "mlflow_client",
    "read_counterpart",
    "reason_of",
    "tracking_uri",
    "uri_of",
    "wait_for_delivery",
]
