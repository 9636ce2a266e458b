"""Scaling of numbers to predict: trained on without units, answered in their own."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mlp.base import RunError

FILE = "targets.npy"


@dataclass(frozen=True)
class TargetScaler:
    """The map ``y -> (y - mean) / deviation``, target by target, and back.

    Attributes
    ----------
    mean, deviation : ndarray of shape (n_targets,), float64
    """

    mean: np.ndarray
    deviation: np.ndarray

    @classmethod
    def fit(cls, y: np.ndarray) -> "TargetScaler":
        """Return the scaler that gives ``y`` mean 0 and standard deviation 1.

        Parameters
        ----------
        y : ndarray of shape (n, n_targets), float64
            Of the training rows. A constant target is only shifted.
        """
        deviation = y.std(axis=0)
        varies = (y != y[0]).any(axis=0)  # rounding leaves a constant one a deviation above 0
        return cls(y.mean(axis=0), np.where(varies, deviation, 1.0))

    def transform(self, y: np.ndarray) -> np.ndarray:
        """Return the targets without units, of shape (n, n_targets), float32."""
        scaled: np.ndarray = ((y - self.mean) / self.deviation).astype(np.float32)
        return scaled

    def inverse(self, outputs: np.ndarray) -> np.ndarray:
        """Return outputs of a network in the targets' units, of shape (n, n_targets), float64."""
        return np.asarray(outputs * self.deviation + self.mean, np.float64)

    def save(self, folder: Path) -> None:
        """Write ``targets.npy`` into an existing folder: a row of means, a row of deviations."""
        np.save(folder / FILE, np.stack([self.mean, self.deviation]))

    @classmethod
    def load(cls, folder: Path) -> "TargetScaler":
        """Read what ``save`` wrote; RunError names the file when it is absent or damaged."""
        try:
            mean, deviation = np.load(folder / FILE, mmap_mode="r", allow_pickle=False)
            if not (np.isfinite([mean, deviation]).all() and (deviation > 0).all()):
                raise ValueError("it holds a value that is not finite, or no deviation")
            return cls(np.array(mean, np.float64), np.array(deviation, np.float64))
        except Exception as error:  # a header is parsed as Python, which has many ways to fail
            raise RunError(
                f"{folder / FILE} does not say how targets were scaled: {error}"
            ) from None
