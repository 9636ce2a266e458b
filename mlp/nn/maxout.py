"""Maxout: units that are the maximum of linear pieces."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from mlp.base import at_least
from mlp.nn.layers import Buffers, Layer


@dataclass
class MaxoutBuffers(Buffers):
    """The output, the input's gradient, a mask, and a reference to the last input."""

    a: np.ndarray  # (n_batch, n)
    dz: np.ndarray  # (n_batch, n · pieces)
    mask: np.ndarray  # (n_batch, n)
    z: np.ndarray = field(init=False, repr=False)  # (n_batch, n · pieces)


class Maxout(Layer):
    """Each unit the maximum of its pre-activations, aᵢ = maxₚ zₚᵢ (Goodfellow et al. 2013, sec. 2).

    After a dense layer of n · ``pieces`` units, each of the n units here is a convex function, the
    upper hull of its linear pieces. Piece p of unit i is column p · n + i of the input.

    Parameters
    ----------
    n : int
        Units.
    pieces : int
        Pre-activations of each, at least 2.
    """

    output_is_free = False

    def __init__(self, n: int, pieces: int) -> None:
        at_least(2, pieces=pieces)
        super().__init__(n * pieces, n)

    def __str__(self) -> str:
        return f"maxout of {self.n_in // self.n_out}"

    def _pieces(self, z: np.ndarray) -> Iterator[np.ndarray]:
        """Yield the p-th pieces of all units, of shape (n_batch, n), as views."""
        for start in range(0, self.n_in, self.n_out):
            yield z[:, start : start + self.n_out]

    def buffers(self, n_batch: int, dtype: np.dtype) -> MaxoutBuffers:
        """Return a, dz and the mask."""
        a, dz, mask = (np.empty((n_batch, n), dtype) for n in (self.n_out, self.n_in, self.n_out))
        return MaxoutBuffers(a, dz, mask)

    def forward(
        self, x: np.ndarray, ws: MaxoutBuffers, rng: np.random.Generator | None
    ) -> np.ndarray:
        """Return the maximum of each unit's pieces, where ``x`` is z."""
        ws.z = x
        first, *others = self._pieces(x)
        np.copyto(ws.a, first)
        for piece in others:
            np.maximum(ws.a, piece, out=ws.a)
        return ws.a

    def backward(
        self, dy: np.ndarray, ws: MaxoutBuffers, input_gradient: bool = True
    ) -> np.ndarray | None:
        """Return dz: a unit's gradient goes to its largest piece, the first of equals."""
        for z, dz in zip(self._pieces(ws.z), self._pieces(ws.dz), strict=True):
            np.copyto(ws.mask, z)
            np.equal(ws.mask, ws.a, out=ws.mask)  # 1 where this piece is the largest, else 0
            np.multiply(dy, ws.mask, out=dz)
            dy -= dz  # what is left for the later pieces: nothing once it has been given
        return ws.dz


def maxout_pieces(activation: str) -> int | None:
    """Return the number of pieces that ``"maxout:5"`` asks for; None for another activation.

    Raises
    ------
    ValueError
        If the number is missing or less than 2.
    """
    if activation.partition(":")[0] != "maxout":
        return None
    match = re.fullmatch(r"maxout:(\d+)", activation)
    if not match or int(match[1]) < 2:
        raise ValueError(
            f"activation must be maxout:5 or another number of pieces from 2, got {activation!r}"
        )
    return int(match[1])
