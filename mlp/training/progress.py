"""All that a training has come to at the end of an epoch."""

from collections.abc import Sequence
from time import perf_counter
from typing import Any

import numpy as np

from mlp.nn import Network, Optimizer, Schedule
from mlp.training.epoch import Metrics
from mlp.training.events import EpochEnded
from mlp.training.scores import higher_is_better
from mlp.training.stopping import StopCondition


class Progress:
    """What the next epoch, and the result, depend on: the parts of a training and its history.

    Randomness is keyed by the epoch's number, so that this is the whole state: a training that is
    given another's progress goes on to the same bits.

    Parameters
    ----------
    network : Network
    optimizer : Optimizer
        Bound to the network.
    schedule : Schedule
    stops : sequence of StopCondition
    monitor : str or None
        The metric by which an epoch is the best; None makes it the last one.
    prefer_later : bool
        Whether an epoch as good as the best one is the best.

    Attributes
    ----------
    history : list of dict
        The metrics of each epoch, with its number under ``epoch``.
    best_epoch : int
        0 before the first epoch has ended.
    best_value : float
        The monitored metric at the best epoch; NaN without a monitor.
    """

    def __init__(
        self,
        network: Network,
        optimizer: Optimizer,
        schedule: Schedule,
        stops: Sequence[StopCondition],
        monitor: str | None,
        prefer_later: bool = False,
    ) -> None:
        self.network, self.optimizer, self.schedule = network, optimizer, schedule
        self.stops, self.monitor, self.prefer_later = stops, monitor, prefer_later
        self.history: list[Metrics] = []
        self.best_epoch, self.best_value = 0, float("nan")
        self._best_params, self._best_state = network.params.copy(), network.state.copy()
        self._begin = perf_counter()

    @property
    def epoch(self) -> int:
        """The number of complete epochs."""
        return len(self.history)

    @property
    def seconds(self) -> float:
        """Time spent on the training, in this process and in those it continues."""
        return perf_counter() - self._begin

    @property
    def best(self) -> Metrics:
        """The metrics of the best epoch; empty if there is none."""
        return self.history[self.best_epoch - 1] if self.best_epoch else {}

    def add(self, metrics: Metrics) -> None:
        """Take in an epoch that has just ended, and keep its parameters if it is the best."""
        self.history.append({"epoch": self.epoch + 1, **metrics})
        if self.monitor:
            value = metrics[self.monitor]
            self.schedule.observe(value, higher_is_better(self.monitor))
            gain = value - self.best_value
            gain = gain if higher_is_better(self.monitor) else -gain
            if self.best_epoch and not (gain > 0 or (gain == 0 and self.prefer_later)):
                return
            self.best_value = value
        self.best_epoch = self.epoch
        np.copyto(self._best_params, self.network.params)
        np.copyto(self._best_state, self.network.state)

    def ended(self) -> EpochEnded:
        """Return the event that the last epoch was."""
        metrics = {name: value for name, value in self.history[-1].items() if name != "epoch"}
        return EpochEnded(self.epoch, metrics, self.best_epoch, self.best_value, self.seconds)

    def restore_best(self) -> None:
        """Put the best epoch's parameters into the network; the initial ones if there is none."""
        np.copyto(self.network.params, self._best_params)
        np.copyto(self.network.state, self._best_state)

    def arrays(self) -> dict[str, np.ndarray]:
        """Return the state's arrays by name: the live ones, to be read or to be filled."""
        return {
            "params": self.network.params,
            "state": self.network.state,
            "best_params": self._best_params,
            "best_state": self._best_state,
            **{f"optimizer_{name}": slot for name, slot in self.optimizer.slot_vectors.items()},
        }

    def numbers(self) -> dict[str, Any]:
        """Return the rest of the state, as JSON can hold it."""
        return {
            "history": self.history,
            "best_epoch": self.best_epoch,
            "best_value": self.best_value,
            "seconds": self.seconds,
            "optimizer_t": self.optimizer.t,
            "schedule": self.schedule.state(),
            "stops": {type(stop).__name__: stop.state() for stop in self.stops},
        }

    def load_numbers(self, numbers: dict[str, Any]) -> None:
        """Go on from what ``numbers`` returned; the arrays are filled by the caller.

        Raises
        ------
        ValueError, TypeError, KeyError, AttributeError
            For what it could not have returned; nothing is promised of the state then.
        """
        history = [dict(metrics) for metrics in numbers["history"]]
        if [metrics["epoch"] for metrics in history] != list(range(1, len(history) + 1)):
            raise ValueError("its history is not one epoch after the other")
        if numbers["best_epoch"] not in range(len(history) + 1):
            raise ValueError("its best epoch is none of its history")
        self.history = history
        self.best_epoch, self.best_value = numbers["best_epoch"], float(numbers["best_value"])
        self._begin = perf_counter() - float(numbers["seconds"])
        self.optimizer.t = int(numbers["optimizer_t"])
        self.schedule.load_state(numbers["schedule"])
        for stop in self.stops:  # a condition that is new knows nothing of the past
            if state := numbers["stops"].get(type(stop).__name__):
                stop.load_state(state)
