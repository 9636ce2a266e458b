"""A learnable scale of each feature."""

from dataclasses import dataclass, field

import numpy as np

from mlp.base import positive
from mlp.nn.layers import Buffers, Layer


@dataclass
class ScaleBuffers(Buffers):
    """The output, and a reference to the last input."""

    y: np.ndarray  # (n_batch, n)
    x: np.ndarray = field(init=False, repr=False)


class Scale(Layer):
    """Each feature times a factor of its own, y = s ⊙ x; s is trained and starts at 1.

    In front of a network it learns which inputs matter (Holzmüller, Grinsztajn & Steinwart,
    "Better by default", 2024, section 3).

    Parameters
    ----------
    n : int
    lr_factor : float
        Factor on the learning rate of ``s``.
    """

    s: np.ndarray  # these are views into the network's vectors
    ds: np.ndarray

    def __init__(self, n: int, lr_factor: float = 1.0) -> None:
        super().__init__(n, n)
        positive(lr_factor=lr_factor)
        self.shapes = {"s": (n,)}
        self.lr_factors = {"s": lr_factor}

    def __str__(self) -> str:
        return "scale"

    def initialize(self, rng: np.random.Generator) -> None:
        """Start as the identity."""
        self.s.fill(1)

    def buffers(self, n_batch: int, dtype: np.dtype) -> ScaleBuffers:
        """Return y."""
        return ScaleBuffers(np.empty((n_batch, self.n_in), dtype))

    def forward(
        self, x: np.ndarray, ws: ScaleBuffers, rng: np.random.Generator | None
    ) -> np.ndarray:
        """Return s ⊙ x."""
        ws.x = x
        np.multiply(x, self.s, out=ws.y)
        return ws.y

    def backward(
        self, dy: np.ndarray, ws: ScaleBuffers, input_gradient: bool = True
    ) -> np.ndarray | None:
        """Set ds = Σ dy ⊙ x over the batch; return dx = s ⊙ dy, in the place of dy."""
        np.multiply(dy, ws.x, out=ws.y)  # the layers after this one have read y
        np.add.reduce(ws.y, axis=0, out=self.ds)
        if not input_gradient:
            return None
        dy *= self.s
        return dy
