"""What happens in a training, told as frozen records to whoever listens.

The trainer knows no console, no file and no tracking server. It emits events; a listener is any
callable that takes one. A listener observes and changes nothing.
"""

import logging
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from mlp.nn import Network
from mlp.training.inspection import Inspection

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class RunStarted:
    """Training is about to begin.

    Attributes
    ----------
    network : Network
        To be read only.
    n_train, n_val : int
        Examples that an epoch sees; ``n_val`` is 0 without validation.
    steps_per_epoch, max_epochs : int
    monitor : str or None
        The metric that decides which epoch is best; None when the last one is.
    patience : int or None
        None when only ``max_epochs`` or the time end the training.
    history : sequence of dict
        The metrics of the epochs that an interrupted training has come to before, with their
        numbers under ``epoch``; they are not told again.
    """

    network: Network
    n_train: int
    n_val: int
    steps_per_epoch: int
    max_epochs: int
    monitor: str | None
    patience: int | None
    history: Sequence[dict[str, float]] = ()


@dataclass(frozen=True)
class EpochEnded:
    """An epoch is over, validation included.

    Attributes
    ----------
    epoch : int
        Counted from 1.
    metrics : dict of str to float
        ``train/loss``, ``val/accuracy``, ``lr``, ...
    best_epoch : int
        The best epoch so far; equal to ``epoch`` when this one is.
    best_value : float
        The monitored metric at the best epoch.
    elapsed : float
        Seconds since the training began.
    """

    epoch: int
    metrics: dict[str, float]
    best_epoch: int
    best_value: float
    elapsed: float


@dataclass(frozen=True)
class Outcome:
    """How a training ended; the network then holds the best epoch's parameters.

    Attributes
    ----------
    stop_reason : str
    epochs : int
        Complete epochs.
    best_epoch : int
        0 if not one epoch was completed.
    best : dict of str to float
        The metrics of the best epoch.
    history : list of dict
        The metrics of each epoch, with its number under ``epoch``.
    seconds : float
    """

    stop_reason: str
    epochs: int
    best_epoch: int
    best: dict[str, float]
    history: list[dict[str, float]]
    seconds: float


@dataclass(frozen=True)
class RunEnded:
    """Training is over, and the best parameters are in place."""

    outcome: Outcome


@dataclass(frozen=True)
class Inspected:
    """The network was looked into, before the training or after an epoch; asked for, not usual."""

    inspection: Inspection


Event = RunStarted | EpochEnded | Inspected | RunEnded
Listener = Callable[[Event], None]


class Callback(ABC):
    """A listener that a configuration names, in its group ``callbacks``."""

    def begin(self, folder: Path) -> None:
        """Take note of the run's folder, before the training: what is put there belongs to it."""

    @abstractmethod
    def __call__(self, event: Event) -> None:
        """Take an event; if that raises an error, it is reported, and no further event comes."""


class Emitter:
    """Tells each event to all listeners; one that fails is reported, left out, and not fatal."""

    def __init__(self, listeners: Iterable[Listener]) -> None:
        self._listeners = list(listeners)

    def __call__(self, event: Event) -> None:
        """Pass ``event`` to each listener in turn."""
        for listener in tuple(self._listeners):
            try:
                listener(event)
            except Exception:
                self._listeners.remove(listener)
                name = getattr(listener, "__qualname__", type(listener).__qualname__)
                logger.exception("%s failed and is left out from here on", name)
