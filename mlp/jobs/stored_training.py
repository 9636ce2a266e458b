"""The figures of a training that drew none, as short jobs of a sweep do, from what is stored."""

import logging

from mlp import runs, training
from mlp.base import ConfigError
from mlp.config import check
from mlp.data import Dataset
from mlp.jobs.train import Training
from mlp.nn import fill
from mlp.runs import RunFolder

logger = logging.getLogger(__name__)


def draw_stored_training(folder: RunFolder, dataset: Dataset) -> None:
    """Draw what a stored run was trained on, and how that went.

    Parameters
    ----------
    folder : RunFolder
    dataset : Dataset
        That it was trained on.

    Raises
    ------
    UserError
        When the run is damaged.
    """
    record, history = runs.read_training(folder), runs.read_history(folder)
    job = check(runs.read_config(folder) | {"callbacks": {}})
    try:
        stored = Training(job, dataset, has_checkpoint=True)
    except ConfigError:  # is not accepted any more
        return
    if not stored.may_start_over:  # what it began with is gone
        return
    snapshots, best = stored.snapshots, record.best
    if snapshots:
        snapshots(training.RunStarted(stored.network, 0, 0, 0, record.epochs, None, None))
    fill(stored.network, folder.weights)
    stored.outcome = training.Outcome(
        record.stop_reason or "",
        record.epochs,
        best.epoch if best else record.epochs,
        best.metrics if best else {},
        history,
        record.seconds,
    )
    if snapshots:
        snapshots(training.RunEnded(stored.outcome))
    stored.draw(folder, logger.debug)
