"""Batch normalization."""

from dataclasses import dataclass, field

import numpy as np

from mlp.base import positive
from mlp.nn.layers import Buffers, Layer


@dataclass
class BatchNormBuffers(Buffers):
    """The normalized input, the output, scratch, and the statistics that normalized the batch."""

    x_hat: np.ndarray  # (n_batch, n)
    y: np.ndarray  # (n_batch, n)
    scratch: np.ndarray  # (n_batch, n)
    mean: np.ndarray  # (1, n)
    var: np.ndarray  # (1, n)
    inv_std: np.ndarray  # (1, n), 1 / √(σ² + ε)
    by_batch: bool = field(init=False, repr=False)


class BatchNorm(Layer):
    """Batch normalization, y = γ·x̂ + β with x̂ = (x − μ) / √(σ² + ε) (Ioffe & Szegedy 2015, Alg. 1).

    In training μ and σ² are the batch's (biased variance); evaluation takes running means, into
    which each training batch goes with weight ``momentum`` and the unbiased variance (Alg. 2).

    A training batch of one row has no variance. It is normalized by the running statistics, taken
    as constants in its gradient, and does not update them.

    Parameters
    ----------
    n : int
    momentum : float
        Weight of the newest batch in the running statistics, in (0, 1].
    eps : float
        ε, keeps the division defined for a constant feature.
    """

    gamma: np.ndarray  # these are views into the network's vectors
    beta: np.ndarray
    dgamma: np.ndarray
    dbeta: np.ndarray
    running_mean: np.ndarray
    running_var: np.ndarray

    def __init__(self, n: int, momentum: float = 0.1, eps: float = 1e-5) -> None:
        super().__init__(n, n)
        positive(momentum=momentum, eps=eps)
        if momentum > 1:
            raise ValueError(f"momentum must be at most 1, got {momentum!r}")
        self.shapes = {"gamma": (n,), "beta": (n,)}
        self.state_shapes = {"running_mean": (n,), "running_var": (n,)}
        self.momentum, self.eps = momentum, eps

    def __str__(self) -> str:
        return "batch norm"

    def initialize(self, rng: np.random.Generator) -> None:
        """Start as the identity: γ = 1, β = 0, running mean 0 and variance 1."""
        self.gamma.fill(1)
        self.beta.fill(0)
        self.running_mean.fill(0)
        self.running_var.fill(1)

    def buffers(self, n_batch: int, dtype: np.dtype) -> BatchNormBuffers:
        """Return x̂, y, scratch, and one row each of mean, variance and 1 / √(σ² + ε)."""
        heights = (n_batch, n_batch, n_batch, 1, 1, 1)
        return BatchNormBuffers(*(np.empty((n, self.n_in), dtype) for n in heights))

    def forward(
        self, x: np.ndarray, ws: BatchNormBuffers, rng: np.random.Generator | None
    ) -> np.ndarray:
        """Return γ·x̂ + β; in training, update the running statistics."""
        ws.by_batch = rng is not None and len(x) > 1
        if ws.by_batch:
            np.mean(x, axis=0, keepdims=True, out=ws.mean)
            np.subtract(x, ws.mean, out=ws.x_hat)
            np.multiply(ws.x_hat, ws.x_hat, out=ws.scratch)
            np.mean(ws.scratch, axis=0, keepdims=True, out=ws.var)
            self._update_running(ws.mean[0], ws.var[0] * (len(x) / (len(x) - 1)))
        else:
            np.subtract(x, self.running_mean, out=ws.x_hat)
            ws.var[0] = self.running_var
        np.add(ws.var, self.eps, out=ws.inv_std)
        np.sqrt(ws.inv_std, out=ws.inv_std)
        np.divide(1.0, ws.inv_std, out=ws.inv_std)
        ws.x_hat *= ws.inv_std
        np.multiply(ws.x_hat, self.gamma, out=ws.y)
        ws.y += self.beta
        return ws.y

    def _update_running(self, mean: np.ndarray, var: np.ndarray) -> None:
        """Move the running statistics towards those of a batch; both of shape (n,)."""
        self.running_mean += self.momentum * (mean - self.running_mean)
        self.running_var += self.momentum * (var - self.running_var)

    def backward(
        self, dy: np.ndarray, ws: BatchNormBuffers, input_gradient: bool = True
    ) -> np.ndarray | None:
        """Set dβ = Σ dy and dγ = Σ dy ⊙ x̂; return dx, in the place of dy.

        dx = γ/√(σ² + ε) · (dy − dβ/n − x̂ · dγ/n): μ and σ² depend on x too (Ioffe & Szegedy 2015,
        section 3, simplified).
        """
        np.multiply(dy, ws.x_hat, out=ws.scratch)
        np.add.reduce(ws.scratch, axis=0, out=self.dgamma)
        np.add.reduce(dy, axis=0, out=self.dbeta)
        if ws.by_batch:
            np.multiply(ws.x_hat, self.dgamma / len(dy), out=ws.scratch)
            dy -= self.dbeta / len(dy)
            dy -= ws.scratch
        dy *= self.gamma * ws.inv_std
        return dy
