from .address import is_lost, is_remote, tracking_uri, uri_of
from .counterpart import delete, read_counterpart
from .delivery import deliver
from .mirror_start import ensure_mirror
from .mirror_wait import wait_for_delivery
from .pages import address_of, comparison_page, lists_of_runs, page_of
from .server import served_address, served_ui
from .store import (
    MLflowTracking,
    NoTracking,
    client_of,
    is_outage,
    mlflow_client,
    reason_of,
)

__all__ = [
    "MLflowTracking",
    "NoTracking",
    "address_of",
    "client_of",
    "comparison_page",
    "delete",
    "deliver",
    "ensure_mirror",
    "is_lost",
    "is_outage",
    "is_remote",
    "lists_of_runs",
    "mlflow_client",
    "page_of",
    "read_counterpart",
    "reason_of",
    "served_address",
    "served_ui",
    "tracking_uri",
    "uri_of",
    "wait_for_delivery",
]
