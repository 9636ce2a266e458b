"""Points in a plane, in classes that no straight line separates: what a network learns is seen."""

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mlp.base import at_least, generator
from mlp.data.dataset import Dataset
from mlp.data.scaling import ScaleKind
from mlp.data.source import Source


@dataclass(frozen=True, kw_only=True)
class Toy(Source):
    """Two classes of points on two curves of radius about 1.

    Parameters
    ----------
    n : int
        Points to train on, validation included, and as many to test on; half of each class.
    noise : float
        Standard deviation of what is added to both coordinates.
    seed : int
        Of the points; not the run's, so that all runs see the same ones.
    """

    n: int = 1000
    noise: float = 0.1
    seed: int = 0
    scale: ScaleKind = "standardize"

    def __post_init__(self) -> None:
        super().__post_init__()
        at_least(4, n=self.n)
        at_least(0, noise=self.noise, seed=self.seed)

    @abstractmethod
    def curves(self, t: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the coordinates of points without noise.

        Parameters
        ----------
        t : ndarray of shape (n,), float64
            Places on the curves, uniform in [0, 1).
        y : ndarray of shape (n,), int64
            Which curve: 0 or 1.
        """

    def files(self) -> Sequence[Path]:
        """Return none: nothing is read."""
        return []

    def decode(self, files: Sequence[Path]) -> Dataset:
        """Draw the points."""
        rng = generator(self.seed, "points")
        y = np.arange(2 * self.n) % 2
        x = np.column_stack(self.curves(rng.random(2 * self.n), y))
        x = (x + rng.normal(0, self.noise, x.shape)).astype(np.float32)
        return Dataset(
            name=self.name,
            x_train=x[: self.n],
            y_train=y[: self.n],
            x_test=x[self.n :],
            y_test=y[self.n :],
            classes=("A", "B"),
            x_max=None,
            image_shape=None,
        )


@dataclass(frozen=True, kw_only=True)
class Moons(Toy):
    """Two half circles, each reaching into the other, as scikit-learn's ``make_moons``."""

    noise: float = 0.2

    name = "moons"

    def curves(self, t: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return an upper half circle, and a lower one that is moved by (1, 0.5)."""
        sign = 1 - 2 * y
        return sign * np.cos(np.pi * t) + y, sign * np.sin(np.pi * t) + 0.5 * y


@dataclass(frozen=True, kw_only=True)
class Circles(Toy):
    """A circle of radius 1 around one of radius 0.5."""

    name = "circles"

    def curves(self, t: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return both around the origin."""
        radius = 1 - 0.5 * y
        return radius * np.cos(2 * np.pi * t), radius * np.sin(2 * np.pi * t)


@dataclass(frozen=True, kw_only=True)
class Spirals(Toy):
    """Two spirals; after Lang & Witbrock, "Learning to tell two spirals apart", 1988.

    Parameters
    ----------
    turns : float
        Of each around the other.
    """

    noise: float = 0.02
    turns: float = 1.5

    name = "spirals"

    def curves(self, t: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return one, and the same turned by half; as dense at the rim as near the centre."""
        radius = np.sqrt(0.01 + 0.99 * t)
        angle = 2 * np.pi * self.turns * radius + np.pi * y
        return radius * np.cos(angle), radius * np.sin(angle)
