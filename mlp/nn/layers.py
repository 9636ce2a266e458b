"""The layers: dense, activation, dropout, batch normalisation.

Their common shape, and who owns which memory, is described in :mod:`mlp.nn.layer`.
"""

from types import SimpleNamespace

import numpy as np

from mlp.nn.activations import get_activation
from mlp.nn.initializers import get_initializer
from mlp.nn.layer import Layer, Shapes


class Dense(Layer):
    """A fully connected layer, z = x·W + b.

    Parameters
    ----------
    n_in, n_out : int
    weight_init, bias_init : str
        Names of initializers, see :mod:`mlp.nn.initializers`.
    bias : bool
        False leaves ``b`` out: a batch normalisation behind would subtract it again.
    max_norm : float or None
        Upper bound of the norm of the weights that come in to one unit (a column of ``W``), kept
        by rescaling after each update (Srivastava et al. 2014, section 5.1).
    """

    decayed = ("W",)

    W: np.ndarray  # these are views into the network's vectors
    b: np.ndarray
    dW: np.ndarray
    db: np.ndarray

    def __init__(
        self,
        n_in: int,
        n_out: int,
        weight_init: str = "he_normal",
        bias_init: str = "zeros",
        bias: bool = True,
        max_norm: float | None = None,
    ) -> None:
        super().__init__(n_in, n_out)
        self.shapes = {"W": (n_in, n_out)} | ({"b": (n_out,)} if bias else {})
        self.weight_init, self.bias_init = get_initializer(weight_init), get_initializer(bias_init)
        self.bias, self.max_norm = bias, max_norm

    def __str__(self) -> str:
        return f"dense {self.n_in} → {self.n_out}"

    def initialize(self, rng: np.random.Generator) -> None:
        """Draw ``W``, then ``b``."""
        self.weight_init(self.W, self.n_in, self.n_out, rng)
        if self.bias:
            self.bias_init(self.b, self.n_in, self.n_out, rng)
        self.project()

    def buffers(self, n_batch: int) -> Shapes:
        """Return the shapes of z and dx."""
        return {"z": (n_batch, self.n_out), "dx": (n_batch, self.n_in)}

    def forward(
        self, x: np.ndarray, ws: SimpleNamespace, rng: np.random.Generator | None
    ) -> np.ndarray:
        """Return z = x·W + b."""
        ws.x = x
        np.matmul(x, self.W, out=ws.z)  # (n_batch, n_in) @ (n_in, n_out)
        if self.bias:
            np.add(ws.z, self.b, out=ws.z)
        return ws.z

    def backward(
        self, dy: np.ndarray, ws: SimpleNamespace, input_gradient: bool = True
    ) -> np.ndarray | None:
        """Set dW = xᵀ·dz and db = Σ dz over the batch; return dx = dz·Wᵀ."""
        np.matmul(ws.x.T, dy, out=self.dW)  # (n_in, n_batch) @ (n_batch, n_out)
        if self.bias:
            np.add.reduce(dy, axis=0, out=self.db)
        if not input_gradient:
            return None
        return np.matmul(dy, self.W.T, out=ws.dx)  # (n_batch, n_out) @ (n_out, n_in)

    def project(self) -> None:
        """Scale down each column of ``W`` that is longer than ``max_norm``."""
        if self.max_norm is None:
            return
        norms = np.sqrt(np.einsum("ij,ij->j", self.W, self.W))  # (n_out,)
        self.W *= self.max_norm / np.maximum(norms, self.max_norm)


class Activation(Layer):
    """An elementwise function a = φ(z), and dz = da ⊙ φ′(z).

    Where φ′ can be had from ``a`` (relu, tanh, sigmoid), ``a`` takes the place of ``z``.
    """

    def __init__(self, n: int, name: str) -> None:
        super().__init__(n, n)
        self.function = get_activation(name)

    def __str__(self) -> str:
        return self.function.name

    def buffers(self, n_batch: int) -> Shapes:
        """Return the shapes of a (where it must not replace z), φ′ and scratch."""
        names = ("slope", "scratch") if self.function.reads == "a" else ("a", "slope", "scratch")
        return dict.fromkeys(names, (n_batch, self.n_in))

    def forward(
        self, x: np.ndarray, ws: SimpleNamespace, rng: np.random.Generator | None
    ) -> np.ndarray:
        """Return a = φ(z); ``x`` is z, and may be overwritten."""
        in_place = self.function.reads == "a"
        ws.z_or_a = x
        a = x if in_place else ws.a
        self.function.value(x, a, ws.scratch)
        return a

    def backward(
        self, dy: np.ndarray, ws: SimpleNamespace, input_gradient: bool = True
    ) -> np.ndarray | None:
        """Return dz = da ⊙ φ′(z), in the place of da."""
        self.function.derivative(ws.z_or_a, ws.slope, ws.scratch)
        return np.multiply(dy, ws.slope, out=dy)


class Dropout(Layer):
    """Inverted dropout: in training each input is 0 with probability ``rate``, else x / (1 − rate).

    The expected value stays x, so that evaluation is the identity (Srivastava et al. 2014,
    section 10, with the scaling moved to training).
    """

    def __init__(self, n: int, rate: float) -> None:
        super().__init__(n, n)
        self.rate = rate

    def __str__(self) -> str:
        return f"dropout {self.rate:g}"

    def buffers(self, n_batch: int) -> Shapes:
        """Return the shapes of the mask and of the output."""
        return {"mask": (n_batch, self.n_in), "y": (n_batch, self.n_in)}

    def forward(
        self, x: np.ndarray, ws: SimpleNamespace, rng: np.random.Generator | None
    ) -> np.ndarray:
        """Return x ⊙ mask in training, where mask is 0 or 1 / (1 − rate); x itself otherwise."""
        if rng is None:
            return x
        keep = 1.0 - self.rate
        rng.random(out=ws.mask, dtype=ws.mask.dtype.type)  # in [0, 1)
        np.less(ws.mask, keep, out=ws.mask)
        ws.mask *= 1.0 / keep
        return np.multiply(x, ws.mask, out=ws.y)

    def backward(
        self, dy: np.ndarray, ws: SimpleNamespace, input_gradient: bool = True
    ) -> np.ndarray | None:
        """Return dx = dy ⊙ mask, in the place of dy."""
        return np.multiply(dy, ws.mask, out=dy)


class BatchNorm(Layer):
    """Batch normalisation, y = γ·x̂ + β with x̂ = (x − μ) / √(σ² + ε) (Ioffe & Szegedy 2015, Alg. 1).

    In training μ and σ² are the batch's (biased variance); evaluation takes running means, into
    which each training batch goes with weight ``momentum`` and the unbiased variance (Alg. 2).

    A training batch of one row has no variance. It is normalised by the running statistics, taken
    as constants in its gradient, and does not update them.

    Parameters
    ----------
    n : int
    momentum : float
        Weight of the newest batch in the running statistics.
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

    def buffers(self, n_batch: int) -> Shapes:
        """Return the shapes of x̂, y, scratch, and of what there is once a feature."""
        rows = dict.fromkeys(("x_hat", "y", "scratch"), (n_batch, self.n_in))
        return rows | dict.fromkeys(("mean", "var", "inv_std"), (1, self.n_in))

    def forward(
        self, x: np.ndarray, ws: SimpleNamespace, rng: np.random.Generator | None
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
        return np.add(ws.y, self.beta, out=ws.y)

    def _update_running(self, mean: np.ndarray, var: np.ndarray) -> None:
        """Move the running statistics towards those of a batch; both of shape (n,)."""
        self.running_mean += self.momentum * (mean - self.running_mean)
        self.running_var += self.momentum * (var - self.running_var)

    def backward(
        self, dy: np.ndarray, ws: SimpleNamespace, input_gradient: bool = True
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
