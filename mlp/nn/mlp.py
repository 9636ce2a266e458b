"""The multilayer perceptron as its hyper-parameters, and the list of layers they stand for."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import numpy as np

from mlp.base import at_least, fraction, positive
from mlp.nn.activations import get_activation
from mlp.nn.batch_norm import BatchNorm
from mlp.nn.dropout import Dropout
from mlp.nn.initializers import get_initializer
from mlp.nn.layers import Activation, Dense, Layer
from mlp.nn.losses import Loss
from mlp.nn.maxout import Maxout, maxout_pieces
from mlp.nn.network import Network
from mlp.nn.scale import Scale


@dataclass(frozen=True)
class MLP:
    """A multilayer perceptron that has not met its data yet.

    Each hidden layer is dense → batch norm (if asked) → activation → dropout (if asked); the
    output layer is dense, and its activation belongs to the loss.

    Parameters
    ----------
    hidden_sizes : sequence of int
        Units of each hidden layer; empty for a linear model.
    activation : str or sequence of str
        Of all hidden layers, or one for each; see :mod:`mlp.nn.activations`. ``"maxout:5"`` makes
        units of five linear pieces each (:class:`~mlp.nn.Maxout`); a dotted name is that of a
        class of your own.
    weight_init, bias_init : str
        See :mod:`mlp.nn.initializers`. ``weight_init`` may be a list: one for each hidden layer,
        and one for the output layer.
    output_init : str or None
        Initializer of the output layer's weights and biases, if they are to have another.
    input_scale : bool
        Whether a learnable factor for each input comes first (:class:`~mlp.nn.Scale`).
    scale_lr_factor, bias_lr_factor : float
        Factors on the learning rate of those input scales, of the biases.
    fan_in_lr : bool
        Divide the learning rate of each weight matrix by √n_in. Under Adam, with
        ``weight_init=lecun_normal``, this is the training of z = x·V/√n_in + b, V ~ N(0, 1), with
        the undivided rate: the neural tangent parametrization (Jacot et al. 2018, section 2), as
        the step of V = √n_in·W does not depend on the gradient's scale, but for ε.
    dropout, input_dropout : float
        Probability that a hidden unit, an input, is left out of a training step; in [0, 1).
    batch_norm : bool
    l1, l2 : float
        Penalties l1·Σ|w| + ½·l2·Σw² over the weights, biases excluded.
    max_norm : float or sequence of float, optional
        Upper bound of the norm of a unit's incoming weights, output layer included; or one for
        each layer.
    dtype : {"float32", "float64"}
    """

    hidden_sizes: Sequence[int] = (128, 64)
    activation: str | Sequence[str] = "relu"
    weight_init: str | Sequence[str] = "he_normal"
    bias_init: str = "zeros"
    output_init: str | None = None
    input_scale: bool = False
    scale_lr_factor: float = 1.0
    bias_lr_factor: float = 1.0
    fan_in_lr: bool = False
    dropout: float = 0.0
    input_dropout: float = 0.0
    batch_norm: bool = False
    l1: float = 0.0
    l2: float = 0.0
    max_norm: float | Sequence[float] | None = None
    dtype: Literal["float32", "float64"] = "float32"

    def __post_init__(self) -> None:
        at_least(1, **{f"hidden_sizes[{i}]": n for i, n in enumerate(self.hidden_sizes)})
        names = [self.activation] if isinstance(self.activation, str) else self.activation
        for name in names:
            if not maxout_pieces(name):
                get_activation(name)
        if not isinstance(self.activation, str) and len(names) != len(self.hidden_sizes):
            raise ValueError(
                f"activation must be one name or one for each of the {len(self.hidden_sizes)} "
                f"hidden layers, got {len(names)}"
            )
        for init in self._of_each_layer("weight_init"):
            get_initializer(init, "weight_init")
        get_initializer(self.bias_init, "bias_init")
        if self.output_init is not None:
            get_initializer(self.output_init, "output_init")
        positive(scale_lr_factor=self.scale_lr_factor, bias_lr_factor=self.bias_lr_factor)
        fraction(dropout=self.dropout, input_dropout=self.input_dropout)
        at_least(0, l1=self.l1, l2=self.l2)
        for bound in self._of_each_layer("max_norm"):
            if bound is not None:
                positive(max_norm=bound)
        if self.dtype not in ("float32", "float64"):
            raise ValueError(f"dtype must be float32 or float64, got {self.dtype!r}")

    def _of_each_layer(self, name: str) -> list[Any]:
        """Return a setting for each dense layer, the output layer last."""
        value, n = getattr(self, name), len(self.hidden_sizes) + 1
        if isinstance(value, str) or not isinstance(value, Sequence):
            return [value] * n
        if len(value) != n:
            raise ValueError(
                f"{name} must be one, or one for each of the {n} layers with weights, "
                f"got {len(value)}"
            )
        return list(value)

    def layers(self, n_in: int, n_out: int) -> list[Layer]:
        """Return the layers that the hyper-parameters stand for."""
        layers: list[Layer] = [Scale(n_in, self.scale_lr_factor)] if self.input_scale else []
        layers += [Dropout(n_in, self.input_dropout)] if self.input_dropout else []
        dense = partial(
            Dense,
            bias_init=self.bias_init,
            fan_in_lr=self.fan_in_lr,
            bias_lr_factor=self.bias_lr_factor,
        )
        activations = self.activation
        if isinstance(activations, str):
            activations = [activations] * len(self.hidden_sizes)
        inits, norms = self._of_each_layer("weight_init"), self._of_each_layer("max_norm")
        for n, activation, init, norm in zip(
            self.hidden_sizes, activations, inits[:-1], norms[:-1], strict=True
        ):
            pieces = maxout_pieces(activation)
            n_z = n * (pieces or 1)
            layers += [dense(n_in, n_z, init, bias=not self.batch_norm, max_norm=norm)]
            layers += [BatchNorm(n_z)] if self.batch_norm else []
            layers += [Maxout(n, pieces) if pieces else Activation(n, activation)]
            layers += [Dropout(n, self.dropout)] if self.dropout else []
            n_in = n
        init = inits[-1]
        if self.output_init:
            init, dense = self.output_init, partial(dense, bias_init=self.output_init)
        return [*layers, dense(n_in, n_out, init, max_norm=norms[-1])]

    def build(self, n_in: int, n_out: int, loss: Loss, rng: np.random.Generator) -> Network:
        """Return a network for ``n_in`` features and ``n_out`` classes, its weights drawn.

        Parameters
        ----------
        n_in, n_out : int
            They come from the data.
        loss : Loss
        rng : Generator
            Source of the initial weights.
        """
        network = Network(self.layers(n_in, n_out), loss, self.l1, self.l2, self.dtype)
        network.initialize(rng)
        return network
