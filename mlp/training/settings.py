"""What a training can be told."""

from dataclasses import dataclass

from mlp.base import at_least, positive


@dataclass(frozen=True)
class TrainingSettings:
    """How long to train, in which steps, and by what to judge an epoch.

    Parameters
    ----------
    max_epochs : int
    batch_size : int
        Examples a step; the last batch of an epoch may be shorter, and none has more than there
        are.
    drop_last : bool
        Leave out an epoch's last batch if it is shorter than the others.
    patience : int or None
        Epochs without an improvement of ``monitor`` by ``min_delta`` that end the training; None
        lets it go on.
    min_delta : float
    monitor : str
        The metric that decides about the best epoch and about patience: ``val/loss`` or another
        metric of the task's, ``train/loss`` or the task's ``train_metric``. Without validation data
        a ``val/`` metric does not exist: the training takes ``max_epochs`` and keeps the last.
    prefer_later : bool
        Of epochs whose ``monitor`` is the same, take the last one for the best, not the first.
    max_seconds : float or None
        Time after which no further epoch begins.
    clip_norm : float or None
        Upper bound of the gradient's global norm (Pascanu et al. 2013, Algorithm 1).
    eval_batch_size : int
        Examples a batch outside training; part of what determines the last bits.
    limit_batches : int or None
        For debugging: an epoch, and a validation, end after so many batches.
    overfit_batches : int or None
        For debugging: train and validate on the same so many batches.
    checkpoint_every : float or None
        Seconds from one checkpoint to the next, at least; None makes none.
    keep_checkpoint : bool
        Keep the last epoch's when all is over, so that the training can be made longer.
    inspect : bool
        Look inside the network at epochs' ends, see `Inspector`; the training stays the same.
    """

    max_epochs: int = 100
    batch_size: int = 128
    drop_last: bool = False
    patience: int | None = 10
    min_delta: float = 0.0
    monitor: str = "val/loss"
    prefer_later: bool = False
    max_seconds: float | None = None
    clip_norm: float | None = None
    eval_batch_size: int = 1000
    limit_batches: int | None = None
    overfit_batches: int | None = None
    checkpoint_every: float | None = 5.0
    keep_checkpoint: bool = False
    inspect: bool = False

    def __post_init__(self) -> None:
        at_least(1, max_epochs=self.max_epochs, batch_size=self.batch_size)
        at_least(1, eval_batch_size=self.eval_batch_size)
        at_least(0, min_delta=self.min_delta)
        for name in ("patience", "limit_batches", "overfit_batches"):
            if getattr(self, name) is not None:
                at_least(1, **{name: getattr(self, name)})
        for name in ("max_seconds", "clip_norm", "checkpoint_every"):
            if getattr(self, name) is not None:
                positive(**{name: getattr(self, name)})
