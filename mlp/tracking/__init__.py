"""What a run leaves behind: its folder, which is the record, and its counterpart in MLflow."""

from mlp.tracking.evaluations import evaluation_name, record_evaluation
from mlp.tracking.figures import draw_evaluation_figures, draw_training_figures
from mlp.tracking.folder import RunFolder, read_config, read_history, read_run
from mlp.tracking.liveness import bury, bury_dead, is_alive
from mlp.tracking.mlflow_store import MLflowTracking, NoTracking, mlflow_client, tracking_uri
from mlp.tracking.opening import open_run
from mlp.tracking.projection import project
from mlp.tracking.recorder import Recorder
from mlp.tracking.reopening import reopen_run
from mlp.tracking.store import check_name, check_tags, find_run, list_runs, undelivered_runs

__all__ = [
    "MLflowTracking",
    "NoTracking",
    "Recorder",
    "RunFolder",
    "bury",
    "bury_dead",
    "check_name",
    "check_tags",
    "draw_evaluation_figures",
    "draw_training_figures",
    "evaluation_name",
    "find_run",
    "is_alive",
    "list_runs",
    "mlflow_client",
    "open_run",
    "project",
    "read_config",
    "read_history",
    "read_run",
    "record_evaluation",
    "reopen_run",
    "tracking_uri",
    "undelivered_runs",
]
