"""Training once more on all rows, for as many epochs as were best on the validation rows."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from mlp.base import ConfigError, counted
from mlp.config import Job
from mlp.data import Dataset, Parts
from mlp.nn import Network, ReduceOnPlateau
from mlp.reports import Console
from mlp.runs import Recorder
from mlp.training import Checkpoints, EpochLimit, Outcome, StopCondition


def check_refit(job: Job, parts: Parts) -> None:
    """Raise ConfigError if a job cannot be trained on all rows in the end."""
    if parts.val is None:
        raise ConfigError(
            "refit trains on the validation rows too, and data.validation is none: set refit=false"
        )
    if isinstance(job.schedule, ReduceOnPlateau):
        raise ConfigError(
            "refit has no metric for schedule=reduce_on_plateau to follow: take another schedule"
        )


def refit_on_all_rows(
    job: Job,
    run: Recorder,
    dataset: Dataset,
    network: Network,
    initial: Sequence[np.ndarray],
    epochs: int,
    console: Console,
    stop: StopCondition,
) -> tuple[Outcome, Parts]:
    """Train a network from the beginning on the training and validation rows.

    The schedule is that of the first training, of which this one takes the first ``epochs``.

    Parameters
    ----------
    job : Job
    run : Recorder
        Its history and its best epoch stay those of the first training.
    dataset : Dataset
    network : Network
    initial : sequence of ndarray
        The parameters and the state that the first training began with.
    epochs : int
    console : Console
    stop : StopCondition
        Asked besides the number of epochs.

    Returns
    -------
    Outcome
        Of this training.
    Parts
        All rows to train on, and the inputs scaled by them.
    """
    parts = job.task.prepare(replace(job.data, validation="none").parts(dataset, job.seed))
    sentence = f"training again on all {len(parts.train):,} rows, for {counted(epochs, 'epoch')}"
    run.log(sentence)
    console.announce(sentence)
    np.copyto(network.params, initial[0])
    np.copyto(network.state, initial[1])
    # Named by the epochs: those of a resumed training may have become more.
    checkpoints = Checkpoints(
        run.folder.checkpoints / f"refit-{epochs}", job.trainer.checkpoint_every, report=run.log
    )
    # There is no val/loss, and the first training was looked into.
    trainer = replace(job.trainer, monitor="val/loss", max_seconds=None, inspect=False)
    outcome = trainer.fit(
        network,
        job.optimizer,
        job.schedule,
        parts,
        job.seed,
        listeners=[console],
        stops=[stop, EpochLimit(epochs)],
        checkpoints=checkpoints,
        augment=job.augment.of_rows(dataset.image_shape),
        task=job.task,
    )
    return outcome, parts
