"""The buffers that a batch goes through."""

from collections.abc import Sequence

from mlp.nn.layers import Buffers
from mlp.nn.losses import LossBuffers


class Workspace:
    """The buffers of one use of a network, made once: activations, deltas, scratch.

    Attributes
    ----------
    n_batch : int
        Rows of a batch.
    layers : list of Buffers
        Those of each layer.
    loss : LossBuffers
        ``loss.a`` of shape (n_batch, n_out) holds the network's outputs after a forward pass,
        ``loss.t`` the targets.
    """

    def __init__(self, layers: Sequence[Buffers], loss: LossBuffers) -> None:
        self.n_batch, self.layers, self.loss = len(loss.t), layers, loss
        self._shorter: Workspace | None = None

    def rows(self, n: int) -> "Workspace":
        """Return a workspace for ``n`` ≤ ``n_batch`` rows: the first rows of each buffer."""
        if n == self.n_batch:
            return self
        if self._shorter is None or self._shorter.n_batch != n:
            self._shorter = Workspace([layer.rows(n) for layer in self.layers], self.loss.rows(n))
        return self._shorter
