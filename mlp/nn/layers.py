"""Dense and activation layers, and what every layer is; the others have files of their own.

A layer owns no memory. Its parameters and gradients are views into the network's flat vectors
(:class:`~mlp.nn.network.Network` binds them as ``layer.W``, ``layer.dW``, ...), and what a batch
needs lies in buffers ``ws``, made once for a batch size. So a training step allocates nothing, and
training and evaluation do not share buffers.

Notation, as in docs/backpropagation.md: ``x`` is a layer's input, ``z`` a pre-activation, ``a`` an
activation, and ``dz`` stands for ∂L/∂z, the derivative of the mean loss of the batch.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from math import sqrt
from typing import Any, Self

import numpy as np

from mlp.base import at_least, positive
from mlp.nn.activations import get_activation
from mlp.nn.initializers import get_initializer

Shapes = Mapping[str, tuple[int, ...]]


@dataclass
class Buffers:
    """Arrays made once for a batch size; the first axis is the batch, or 1 for one per feature."""

    def rows(self, n: int) -> Self:
        """Return the first ``n`` rows of each array, as views; per-feature arrays stay whole."""
        return type(self)(**{f.name: getattr(self, f.name)[:n] for f in fields(self) if f.init})


class Layer(ABC):
    """A differentiable function of a batch.

    Attributes
    ----------
    n_in, n_out : int
        Width of the input and of the output, at least 1.
    shapes : dict of str to tuple
        Trained parameters by name. For each ``W`` the network sets ``layer.W`` and ``layer.dW``.
    decayed : tuple of str
        The parameters among ``shapes`` that penalties and weight decay act on.
    lr_factors : dict of str to float
        Factors on the learning rate of the parameters among ``shapes``; 1 for those not named.
    state_shapes : dict of str to tuple
        What is kept, but not trained by gradient: running statistics.
    output_is_free : bool or None
        Whether the next layer may overwrite the output: True unless ``backward`` reads it. None
        where the output can be the input itself, as in dropout's evaluation.
    in_place : bool
        Set by the network: whether this layer may overwrite its input.
    """

    decayed: tuple[str, ...] = ()
    output_is_free: bool | None = True
    in_place = False

    def __init__(self, n_in: int, n_out: int) -> None:
        at_least(1, n_in=n_in, n_out=n_out)
        self.n_in, self.n_out = n_in, n_out
        self.shapes: Shapes = {}
        self.lr_factors: Mapping[str, float] = {}
        self.state_shapes: Shapes = {}

    def initialize(self, rng: np.random.Generator) -> None:
        """Give the parameters and the state their values before training."""

    @abstractmethod
    def buffers(self, n_batch: int, dtype: np.dtype) -> Buffers:
        """Return new buffers for ``forward`` and ``backward`` on batches of ``n_batch`` rows."""

    @abstractmethod
    def forward(self, x: np.ndarray, ws: Any, rng: np.random.Generator | None) -> np.ndarray:
        """Return the layer's output.

        Parameters
        ----------
        x : ndarray of shape (n_batch, n_in)
            Left as it is unless ``in_place``.
        ws : Buffers
            Made by ``buffers``; the result is one of them, valid until the next ``forward``.
        rng : Generator or None
            A generator means training; None means evaluation, which is deterministic.

        Returns
        -------
        ndarray of shape (n_batch, n_out)
        """

    @abstractmethod
    def backward(self, dy: np.ndarray, ws: Any, input_gradient: bool = True) -> np.ndarray | None:
        """Fill the gradients of this layer's parameters and return that of its input.

        Parameters
        ----------
        dy : ndarray of shape (n_batch, n_out)
            ∂L/∂(output), already divided by the batch size (the loss does that). It may be
            overwritten.
        ws : Buffers
            As the last ``forward`` left them.
        input_gradient : bool
            False when nobody asks for ∂L/∂x: the first trained layer need not compute it.

        Returns
        -------
        ndarray of shape (n_batch, n_in), or None
            ∂L/∂x, in a buffer of ``ws`` or in ``dy`` itself, valid until the next ``backward``.
        """

    def project(self) -> None:
        """Put the parameters back into the set that a constraint allows, after an update."""


@dataclass
class DenseBuffers(Buffers):
    """Pre-activations, the input's gradient, ones, and a reference to the last input."""

    z: np.ndarray  # (n_batch, n_out)
    dx: np.ndarray  # (n_batch, n_in)
    ones: np.ndarray  # (n_batch,)
    x: np.ndarray = field(init=False, repr=False)  # (n_batch, n_in)


class Dense(Layer):
    """A fully connected layer, z = x·W + b.

    Parameters
    ----------
    n_in, n_out : int
    weight_init, bias_init : str
        Names of initializers, see :mod:`mlp.nn.initializers`.
    bias : bool
        False leaves ``b`` out: a batch normalization that follows would subtract it again.
    max_norm : float or None
        Upper bound of the norm of the weights that come in to one unit (a column of ``W``), kept
        by rescaling after each update (Srivastava et al. 2014, section 5.1).
    fan_in_lr : bool
        Divide the learning rate of ``W`` by √n_in.
    bias_lr_factor : float
        Factor on the learning rate of ``b``.
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
        fan_in_lr: bool = False,
        bias_lr_factor: float = 1.0,
    ) -> None:
        super().__init__(n_in, n_out)
        positive(bias_lr_factor=bias_lr_factor)
        if max_norm is not None:
            positive(max_norm=max_norm)
        self.shapes = {"W": (n_in, n_out)} | ({"b": (n_out,)} if bias else {})
        self.lr_factors = {"W": 1 / sqrt(n_in) if fan_in_lr else 1.0, "b": bias_lr_factor}
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

    def buffers(self, n_batch: int, dtype: np.dtype) -> DenseBuffers:
        """Return z, dx and ones."""
        z, dx = (np.empty((n_batch, n), dtype) for n in (self.n_out, self.n_in))
        return DenseBuffers(z, dx, np.ones(n_batch, dtype))

    def forward(
        self, x: np.ndarray, ws: DenseBuffers, rng: np.random.Generator | None
    ) -> np.ndarray:
        """Return z = x·W + b."""
        ws.x = x
        np.dot(x, self.W, out=ws.z)  # (n_batch, n_in) @ (n_in, n_out)
        if self.bias:
            np.add(ws.z, self.b, out=ws.z)
        return ws.z

    def backward(
        self, dy: np.ndarray, ws: DenseBuffers, input_gradient: bool = True
    ) -> np.ndarray | None:
        """Set dW = xᵀ·dz and db = Σ dz over the batch; return dx = dz·Wᵀ."""
        # dot is quicker to start than matmul, but clears its result first, which here is large.
        np.matmul(ws.x.T, dy, out=self.dW)  # (n_in, n_batch) @ (n_batch, n_out)
        if self.bias:
            np.dot(ws.ones, dy, out=self.db)  # a product sums faster than NumPy's sum
        if not input_gradient:
            return None
        return np.dot(dy, self.W.T, out=ws.dx)  # (n_batch, n_out) @ (n_out, n_in)

    def project(self) -> None:
        """Scale down each column of ``W`` that is longer than ``max_norm``."""
        if self.max_norm is None:
            return
        norms = np.sqrt(np.einsum("ij,ij->j", self.W, self.W))  # (n_out,)
        self.W *= self.max_norm / np.maximum(norms, self.max_norm)


@dataclass
class ActivationBuffers(Buffers):
    """The output, where it needs a place of its own, and scratch, each of shape (n_batch, n)."""

    own_a: np.ndarray  # of no rows where a takes the place of z
    scratch: np.ndarray
    z: np.ndarray = field(init=False, repr=False)
    a: np.ndarray = field(init=False, repr=False)


class Activation(Layer):
    """An elementwise function a = φ(z), and dz = da ⊙ φ'(z).

    Where φ' can be had from ``a`` (relu, tanh, sigmoid) and nobody else needs z, ``a`` takes the
    place of z.

    Parameters
    ----------
    n : int
    name : str
        Of an activation, see :func:`mlp.nn.activations.get_activation`.
    """

    def __init__(self, n: int, name: str) -> None:
        super().__init__(n, n)
        self.name, self.function = name, get_activation(name)
        self.output_is_free = self.function.reads == "z"

    def __str__(self) -> str:
        return self.name

    @property
    def _replaces_z(self) -> bool:
        return self.in_place and self.function.reads == "a"

    def buffers(self, n_batch: int, dtype: np.dtype) -> ActivationBuffers:
        """Return a, unless it may take the place of z, and scratch."""
        scratch = np.empty((n_batch, self.n_in), dtype)
        return ActivationBuffers(scratch[:0] if self._replaces_z else scratch.copy(), scratch)

    def forward(
        self, x: np.ndarray, ws: ActivationBuffers, rng: np.random.Generator | None
    ) -> np.ndarray:
        """Return a = φ(z), where ``x`` is z."""
        ws.z, ws.a = x, x if self._replaces_z else ws.own_a
        self.function.forward(ws.z, ws.a, ws.scratch)
        return ws.a

    def backward(
        self, dy: np.ndarray, ws: ActivationBuffers, input_gradient: bool = True
    ) -> np.ndarray | None:
        """Return dz = da ⊙ φ'(z), in the place of da."""
        self.function.backward(ws.z, ws.a, dy, ws.scratch)
        return dy
