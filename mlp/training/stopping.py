"""Conditions that end a training; each is asked, and answers with a reason or with None."""

import signal
from typing import Any

from mlp.base import SignalCatcher, counted
from mlp.training.events import EpochEnded
from mlp.training.scores import higher_is_better


class StopCondition:
    """Something that may end a training."""

    def after_step(self) -> str | None:
        """Return why to stop at once, which gives up the epoch under way; or None."""
        return None

    def after_epoch(self, event: EpochEnded) -> str | None:
        """Return why to stop after this epoch, or None.

        A training that is continued asks about the last epoch again: the answer is to be the same.
        """
        return None

    def state(self) -> dict[str, Any]:
        """Return what has been learned from the epochs so far, as JSON can hold it."""
        return {}

    def load_state(self, state: dict[str, Any]) -> None:
        """Go on from what ``state`` returned."""


class Pruner(StopCondition):
    """Something that may end a training which does not promise much.

    Attributes
    ----------
    pruned : bool
        Whether it did.
    """

    pruned = False


class StopOnSignal(SignalCatcher, StopCondition):
    """Stops after the batch under way once a signal has arrived.

    The best weights and all artifacts are still written.
    """

    def after_step(self) -> str | None:
        """Return a reason once a signal has arrived."""
        return f"stopped by {signal.Signals(self.signal).name}" if self.signal else None


class EpochLimit(StopCondition):
    """Stops after ``max_epochs``."""

    def __init__(self, max_epochs: int) -> None:
        self.max_epochs = max_epochs

    def after_epoch(self, event: EpochEnded) -> str | None:
        """Return a reason at the last epoch."""
        return f"max_epochs={self.max_epochs} reached" if event.epoch >= self.max_epochs else None


class TimeLimit(StopCondition):
    """Stops after the first epoch that ends later than ``max_seconds``."""

    def __init__(self, max_seconds: float) -> None:
        self.max_seconds = max_seconds

    def after_epoch(self, event: EpochEnded) -> str | None:
        """Return a reason when the time is up."""
        return (
            f"max_seconds={self.max_seconds:g} reached"
            if event.elapsed >= self.max_seconds
            else None
        )


class Patience(StopCondition):
    """Stops when a metric has not improved by ``min_delta`` for ``patience`` epochs.

    The reference is the value at the last such improvement: many steps smaller than ``min_delta``
    count as soon as their sum reaches it (Prechelt 1998, "Early stopping - but when?", on such
    criteria; scikit-learn's ``n_iter_no_change`` and ``tol``).
    """

    def __init__(self, monitor: str, patience: int, min_delta: float) -> None:
        self.monitor, self.patience, self.min_delta = monitor, patience, min_delta
        self.sign = 1.0 if higher_is_better(monitor) else -1.0
        self.reference: float | None = None
        self.reference_epoch = 0

    def after_epoch(self, event: EpochEnded) -> str | None:
        """Return a reason when patience is at its end."""
        value = event.metrics[self.monitor]
        gain = None if self.reference is None else self.sign * (value - self.reference)
        if gain is None or (gain > 0 and gain >= self.min_delta):
            self.reference, self.reference_epoch = value, event.epoch
        if event.epoch - self.reference_epoch < self.patience:
            return None
        by = f" by {self.min_delta:g}" if self.min_delta else ""
        return f"{self.monitor} has not improved{by} for {counted(self.patience, 'epoch')}"

    def state(self) -> dict[str, Any]:
        """Return the reference and its epoch."""
        return {"reference": self.reference, "reference_epoch": self.reference_epoch}

    def load_state(self, state: dict[str, Any]) -> None:
        """Go on from what ``state`` returned."""
        self.reference, self.reference_epoch = state["reference"], state["reference_epoch"]
