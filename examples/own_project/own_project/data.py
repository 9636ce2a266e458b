"""Points on two spirals that wind around each other."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mlp.data import Dataset, Source


@dataclass(frozen=True, kw_only=True)
class TwoSpirals(Source):
    """Each spiral is a class; after Lang & Witbrock, "Learning to tell two spirals apart", 1988.

    Parameters
    ----------
    n : int
        Points to train on, and as many to test on; even.
    turns : float
        Of each spiral around the centre.
    noise : float
        Standard deviation of a point's distance from its spiral, whose radius is 1.
    """

    name = "two_spirals"

    n: int = 2000
    turns: float = 1.5
    noise: float = 0.02

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.n < 2 or self.n % 2:
            raise ValueError(f"n must be even and at least 2, got {self.n}")

    def files(self) -> Sequence[Path]:
        return []  # nothing is read

    def decode(self, files: Sequence[Path]) -> Dataset:
        rng = np.random.default_rng(0)  # the points are the same for every run
        x, y = self._points(rng)
        x_test, y_test = self._points(rng)
        return Dataset(
            name=self.name,
            x_train=x,
            y_train=y,
            x_test=x_test,
            y_test=y_test,
            classes=("one", "other"),
            x_max=None,
            image_shape=None,
        )

    def _points(self, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Return x of shape (n, 2), float32, and y of shape (n,), int64."""
        y = np.arange(self.n) % 2
        radius = np.sqrt(rng.uniform(0.01, 1, self.n))
        angle = 2 * np.pi * self.turns * radius + np.pi * y  # the other one is turned by half
        x = radius[:, None] * np.column_stack([np.cos(angle), np.sin(angle)])
        x += rng.normal(0, self.noise, x.shape)
        return x.astype(np.float32), y.astype(np.int64)
