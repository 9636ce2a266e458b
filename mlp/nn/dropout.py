"""Dropout."""

from dataclasses import dataclass

import numpy as np

from mlp.base import fraction
from mlp.nn.layers import Buffers, Layer


@dataclass
class DropoutBuffers(Buffers):
    """The mask, 0 or 1 / (1 - rate), and the output, each of shape (n_batch, n)."""

    mask: np.ndarray
    y: np.ndarray


class Dropout(Layer):
    """Inverted dropout: in training each input is 0 with probability ``rate``, else x / (1 − rate).

    The expected value stays x, so that evaluation is the identity (Srivastava et al. 2014,
    section 10, with the scaling moved to training).

    Parameters
    ----------
    n : int
    rate : float
        In [0, 1).
    """

    output_is_free = None

    def __init__(self, n: int, rate: float) -> None:
        super().__init__(n, n)
        fraction(rate=rate)
        self.rate = rate

    def __str__(self) -> str:
        return f"dropout {self.rate:g}"

    def buffers(self, n_batch: int, dtype: np.dtype) -> DropoutBuffers:
        """Return the mask and the output."""
        mask, y = (np.empty((n_batch, self.n_in), dtype) for _ in range(2))
        return DropoutBuffers(mask, y)

    def forward(
        self, x: np.ndarray, ws: DropoutBuffers, rng: np.random.Generator | None
    ) -> np.ndarray:
        """Return x ⊙ mask in training, where mask is 0 or 1 / (1 − rate); x itself otherwise."""
        if rng is None:
            return x
        keep = 1.0 - self.rate
        rng.random(out=ws.mask, dtype=ws.mask.dtype.type)  # in [0, 1)
        np.less(ws.mask, keep, out=ws.mask)
        ws.mask *= 1.0 / keep
        np.multiply(x, ws.mask, out=ws.y)
        return ws.y

    def backward(
        self, dy: np.ndarray, ws: DropoutBuffers, input_gradient: bool = True
    ) -> np.ndarray | None:
        """Return dx = dy ⊙ mask, in the place of dy."""
        dy *= ws.mask
        return dy
