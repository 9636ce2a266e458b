"""The training loop: it emits events, listeners observe them, conditions stop it."""

from mlp.training.checkpoint import Checkpoints
from mlp.training.diagnosis import diagnose
from mlp.training.epoch import DivergedError
from mlp.training.evaluation import Evaluation, Evaluator
from mlp.training.events import (
    Callback,
    EpochEnded,
    Event,
    Inspected,
    Listener,
    Outcome,
    RunEnded,
    RunStarted,
)
from mlp.training.inspection import Inspection, LayerState, TaskFacts
from mlp.training.memory import check_memory
from mlp.training.metrics import ClassFigures, confusion_matrix, most_confused, per_class
from mlp.training.predictor import Ensemble, Predictor, label_column
from mlp.training.scores import higher_is_better
from mlp.training.slowness import SlownessWarning
from mlp.training.snapshots import Snapshots
from mlp.training.stopping import EpochLimit, Pruner, StopCondition, StopOnSignal
from mlp.training.tasks import BinaryClassification, Classification, Regression, Task
from mlp.training.threads import blas_threads
from mlp.training.trainer import Trainer

__all__ = [
    "BinaryClassification",
    "Callback",
    "Checkpoints",
    "ClassFigures",
    "Classification",
    "DivergedError",
    "Ensemble",
    "EpochEnded",
    "EpochLimit",
    "Evaluation",
    "Evaluator",
    "Event",
    "Inspected",
    "Inspection",
    "LayerState",
    "Listener",
    "Outcome",
    "Predictor",
    "Pruner",
    "Regression",
    "RunEnded",
    "RunStarted",
    "SlownessWarning",
    "Snapshots",
    "StopCondition",
    "StopOnSignal",
    "Task",
    "TaskFacts",
    "Trainer",
    "blas_threads",
    "check_memory",
    "confusion_matrix",
    "diagnose",
    "higher_is_better",
    "label_column",
    "most_confused",
    "per_class",
]
