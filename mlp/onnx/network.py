"""The layers of a network in evaluation mode, and its output activation, as nodes of a graph.

Activations are written out as formulas: for most of them ONNX has an operator, but onnxruntime has
it in float32 only.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from mlp.nn import (
    Activation,
    BatchNorm,
    Dense,
    Dropout,
    Layer,
    Maxout,
    Network,
    Scale,
    get_activation,
)
from mlp.onnx.graph import Value


def add_network(x: Value, network: Network) -> Value:
    """Return the outputs of a network for inputs ``x``.

    Raises
    ------
    ValueError
        For a layer or an activation that is not one of ours.
    """
    for number, layer in enumerate(network.layers, 1):
        if type(layer) not in LAYERS:
            raise ValueError(f"layer {number} ({layer}) is not one of mlp's own")
        x = LAYERS[type(layer)](x, layer)
    name = network.loss.output_activation
    return x.to("Softmax", axis=1) if name == "softmax" else _activation(x, name)


def _activation(z: Value, name: str) -> Value:
    if name not in ACTIVATIONS:
        raise ValueError(f"the activation {name} is not one of mlp's own")
    return ACTIVATIONS[name](z, get_activation(name))


def _batch_norm(x: Value, layer: BatchNorm) -> Value:
    statistics = layer.running_mean, layer.running_var
    return x.to("BatchNormalization", layer.gamma, layer.beta, *statistics, epsilon=layer.eps)


def _maxout(z: Value, layer: Maxout) -> Value:
    pieces = z.to("Reshape", np.array([-1, layer.n_in // layer.n_out, layer.n_out]))
    return pieces.to("ReduceMax", np.array([1]), keepdims=0)


LAYERS: dict[type[Layer], Callable[[Value, Any], Value]] = {
    Dense: lambda x, layer: x.to("Gemm", layer.W, *([layer.b] if layer.bias else [])),
    Activation: lambda z, layer: _activation(z, layer.name),
    BatchNorm: _batch_norm,
    Dropout: lambda x, _: x,
    Scale: lambda x, layer: x * layer.s,
    Maxout: _maxout,
}


def _elu(z: Value, alpha: float = 1.0) -> Value:
    return z.to("Relu") + (z.to("Min", 0.0).to("Exp") - 1.0) * alpha


def _gelu(z: Value, c1: float, c3: float) -> Value:
    return z * ((z * (z * z * c3 + c1)).to("Tanh") + 1.0) * 0.5


def _silu(z: Value) -> Value:
    # Not by Sigmoid: onnxruntime 1.22 fuses z·σ(z), and has the result in float32 only.
    return z * ((z * 0.5).to("Tanh") + 1.0) * 0.5


def _softplus(z: Value) -> Value:
    return z.to("Relu") + ((z.to("Abs") * -1.0).to("Exp") + 1.0).to("Log")


ACTIVATIONS: dict[str, Callable[[Value, Any], Value]] = {
    "identity": lambda z, _: z,
    "relu": lambda z, _: z.to("Relu"),
    "leaky_relu": lambda z, phi: z.to("Max", z * phi.slope),
    "elu": lambda z, _: _elu(z),
    "selu": lambda z, phi: _elu(z, phi.alpha) * phi.lambda_,
    "gelu": lambda z, phi: _gelu(z, phi.c1, phi.c3),
    "silu": lambda z, _: _silu(z),
    "mish": lambda z, _: z * _softplus(z).to("Tanh"),
    "softplus": lambda z, _: _softplus(z),
    "sigmoid": lambda z, _: z.to("Sigmoid"),
    "tanh": lambda z, _: z.to("Tanh"),
    "scaled_tanh": lambda z, phi: (z * phi.S).to("Tanh") * phi.A,
}
