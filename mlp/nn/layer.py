"""What a layer is: a forward pass, and its own part of the chain rule.

A layer owns no memory. Its parameters and gradients are views into the network's flat vectors
(:class:`~mlp.nn.network.Network` binds them as ``layer.W``, ``layer.dW``, ...), and what a batch
needs lies in a workspace ``ws``: one namespace of buffers a layer, whose first axis is the batch.
So a training step allocates nothing, and training and evaluation do not share buffers.

Notation, as in docs/backpropagation.md: ``x`` is a layer's input, ``z`` a weighted sum, ``a`` an
activation, and ``dz`` stands for dL/dz, the derivative of the mean loss of the batch.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from types import SimpleNamespace

import numpy as np

Shapes = Mapping[str, tuple[int, ...]]


class Layer(ABC):
    """A differentiable function of a batch.

    Attributes
    ----------
    n_in, n_out : int
        Width of the input and of the output.
    shapes : dict of str to tuple
        Trained parameters by name. For each ``W`` the network sets ``layer.W`` and ``layer.dW``.
    decayed : tuple of str
        The parameters among ``shapes`` that penalties and weight decay act on.
    state_shapes : dict of str to tuple
        What is kept, but not trained by gradient: running statistics.
    """

    decayed: tuple[str, ...] = ()

    def __init__(self, n_in: int, n_out: int) -> None:
        self.n_in, self.n_out = n_in, n_out
        self.shapes: Shapes = {}
        self.state_shapes: Shapes = {}

    def initialize(self, rng: np.random.Generator) -> None:
        """Give the parameters and the state their values before training."""

    @abstractmethod
    def buffers(self, n_batch: int) -> Shapes:
        """Return the buffers that ``forward`` and ``backward`` need for ``n_batch`` rows.

        The first axis is the batch, or 1 for what is per feature: a shorter batch takes the first
        rows of each buffer, which leaves the latter whole.
        """

    @abstractmethod
    def forward(
        self, x: np.ndarray, ws: SimpleNamespace, rng: np.random.Generator | None
    ) -> np.ndarray:
        """Return the layer's output.

        Parameters
        ----------
        x : ndarray of shape (n_batch, n_in)
        ws : SimpleNamespace
            This layer's buffers; the result is one of them, valid until the next ``forward``.
        rng : Generator or None
            A generator means training; None means evaluation, which is deterministic.

        Returns
        -------
        ndarray of shape (n_batch, n_out)
        """

    @abstractmethod
    def backward(
        self, dy: np.ndarray, ws: SimpleNamespace, input_gradient: bool = True
    ) -> np.ndarray | None:
        """Fill the gradients of this layer's parameters and return that of its input.

        Parameters
        ----------
        dy : ndarray of shape (n_batch, n_out)
            dL/d(output), already divided by the batch size (the loss does that). It may be
            overwritten.
        ws : SimpleNamespace
            The buffers that the last ``forward`` filled.
        input_gradient : bool
            False when nobody asks for dL/dx: the first trained layer need not compute it.

        Returns
        -------
        ndarray of shape (n_batch, n_in), or None
            dL/dx, in a buffer of ``ws`` or in ``dy`` itself, valid until the next ``backward``.
        """

    def project(self) -> None:
        """Put the parameters back into the set that a constraint allows, after an update."""
