"""Copies of a network from a few epochs of its training."""

from collections.abc import Mapping
from copy import deepcopy

import numpy as np

from mlp.nn import Network
from mlp.training.events import EpochEnded, Event, RunEnded, RunStarted


class Snapshots:
    """A listener that keeps parameters: the initial ones, those of epochs 1, 2, 4, ..., the best.

    Of a training that is continued, epochs before the continuation are missing.
    """

    def __init__(self) -> None:
        self._network: Network | None = None
        self._kept: dict[int, tuple[np.ndarray, np.ndarray]] = {}
        self._best_epoch = 0

    def __call__(self, event: Event) -> None:
        """Copy parameters and statistics if this is an epoch to keep."""
        if isinstance(event, RunStarted):
            self._network = event.network
            self._keep(len(event.history))
        elif isinstance(event, EpochEnded) and event.epoch.bit_count() == 1:
            self._keep(event.epoch)
        elif isinstance(event, RunEnded):
            self._best_epoch = event.outcome.best_epoch
            self._keep(self._best_epoch)

    def networks(self, n: int) -> Mapping[int, Network]:
        """Return up to ``n`` networks by epoch: the first, the best, and some in between.

        Raises
        ------
        ValueError
            When there was no training.
        """
        if self._network is None:
            raise ValueError("snapshots are taken in a training, and there was none")
        epochs = sorted(epoch for epoch in self._kept if epoch <= self._best_epoch)
        shown = np.unique(np.linspace(0, len(epochs) - 1, n).round().astype(int))
        networks = {epochs[i]: deepcopy(self._network) for i in shown}
        for epoch, network in networks.items():
            network.params[:], network.state[:] = self._kept[epoch]
        return networks

    def _keep(self, epoch: int) -> None:
        if self._network is not None:
            self._kept[epoch] = self._network.params.copy(), self._network.state.copy()
