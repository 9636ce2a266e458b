"""A listener that leaves a table in the run's folder."""

import csv
from pathlib import Path

import numpy as np

from mlp.training import Callback, EpochEnded, Event, RunStarted


class WeightNorms(Callback):
    """Writes the norm of each weight matrix after each epoch.

    Parameters
    ----------
    file : str
        Its name in the run's folder.
    """

    def __init__(self, file: str = "weight_norms.csv") -> None:
        self.file = file

    def begin(self, folder: Path) -> None:
        self.path = folder / self.file

    def __call__(self, event: Event) -> None:
        match event:
            case RunStarted():
                arrays = dict(event.network.named_arrays())
                self.weights = {name: array for name, array in arrays.items() if name[0] == "W"}
                if not event.history:  # of a run that is not resumed
                    self._write("w", ["epoch", *self.weights])
            case EpochEnded():
                norms = [f"{np.linalg.norm(weight):.6g}" for weight in self.weights.values()]
                self._write("a", [event.epoch, *norms])

    def _write(self, mode: str, row: list) -> None:
        with self.path.open(mode, newline="") as file:
            csv.writer(file).writerow(row)
