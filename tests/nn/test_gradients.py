"""Backpropagation against central differences, in float64.

Two vectors are compared as wholes: ‖computed − differences‖ ≤ 1e-6 · (‖computed‖ + ‖differences‖).
"""

from types import SimpleNamespace

import numpy as np
import pytest

from mlp.nn import MLP, BinaryCrossEntropy, MeanSquaredError, SoftmaxCrossEntropy
from mlp.nn.activations import ACTIVATIONS
from mlp.nn.layers import Activation, BatchNorm, Dense, Dropout

STEP = 1e-6
TOLERANCE = 1e-6

LOSSES = {
    "softmax cross-entropy": SoftmaxCrossEntropy(),
    "binary cross-entropy": BinaryCrossEntropy(),
    "squares of identity": MeanSquaredError("identity", low=-1, high=1),
    "squares of sigmoid": MeanSquaredError("sigmoid"),
    "squares of tanh": MeanSquaredError("tanh", low=-1, high=1),
}
PENALTIES = {"l1": 0.01, "l2": 0.1}
DROPOUT = {"dropout": 0.4, "input_dropout": 0.2}
VARIANTS = {
    "plain": {},
    "batch_norm": {"batch_norm": True},
    "penalties": PENALTIES,
    "dropout": DROPOUT,
    "everything": {"batch_norm": True, **PENALTIES, **DROPOUT},
}


def differences(function, v):
    """Return the gradient of ``function()`` with respect to the array ``v``, which it reads."""
    gradient = np.empty_like(v)
    for i in np.ndindex(v.shape):
        kept = v[i]
        v[i] = kept + STEP
        above = function()
        v[i] = kept - STEP
        below = function()
        v[i] = kept
        gradient[i] = (above - below) / (2 * STEP)
    return gradient


def relative_error(computed, expected):
    norm = np.linalg.norm
    return norm(computed - expected) / (norm(computed) + norm(expected))


def network_error(model, loss, n_rows=7):
    """Return the relative error of all parameters' gradients, on a random batch."""
    rng = np.random.default_rng(1)
    network = model.build(4, 3, loss, rng)
    network.params += 0.1 * rng.standard_normal(network.params.size)  # biases, γ and β, too
    x, y = rng.standard_normal((n_rows, 4)), rng.integers(0, 3, n_rows)
    ws = network.workspace(n_rows)

    def objective():
        return network.mean_loss(x, y, ws, np.random.default_rng(2)) + network.penalty()

    network.loss_and_gradients(x, y, ws, np.random.default_rng(2))
    return relative_error(network.grads.copy(), differences(objective, network.params))


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_every_activation_with_every_loss(activation, loss, variant):
    """All parameters' gradients are right for each pair that the losses allow."""
    model = MLP([5, 4], activation, dtype="float64", **VARIANTS[variant])
    assert network_error(model, LOSSES[loss]) <= TOLERANCE


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("variant", ["plain", "everything"])
def test_no_hidden_layer(loss, variant):
    """A linear model is the same code with an empty list."""
    model = MLP([], dtype="float64", **VARIANTS[variant])
    assert network_error(model, LOSSES[loss]) <= TOLERANCE


def test_an_activation_for_each_layer():
    """Activations that read z and activations that read a stand side by side."""
    names = ["gelu", "tanh", "silu", "elu"]
    model = MLP([5, 4, 5, 4], names, dtype="float64")
    assert network_error(model, SoftmaxCrossEntropy()) <= TOLERANCE


@pytest.mark.parametrize("n_rows", [1, 2])
def test_the_smallest_batches_with_batch_norm(n_rows):
    """One row is normalised by constants, two rows are the fewest that have a variance."""
    model = MLP([5, 4], "tanh", batch_norm=True, dtype="float64")
    assert network_error(model, SoftmaxCrossEntropy(), n_rows) <= TOLERANCE


LAYERS = {
    "dense": Dense(4, 3, bias_init="normal(1)"),
    "dense without bias": Dense(4, 3, bias=False),
    "dropout": Dropout(4, 0.3),
    "batch norm": BatchNorm(4),
    **{name: Activation(4, name) for name in ACTIVATIONS},
}


@pytest.mark.parametrize("n_rows", [1, 6])
@pytest.mark.parametrize("name", LAYERS)
def test_each_layer(name, n_rows):
    """A layer's dx and its parameters' gradients are right for any dL/d(output)."""
    layer, rng = LAYERS[name], np.random.default_rng(3)
    for parameter, shape in layer.shapes.items():
        setattr(layer, parameter, np.empty(shape))
        setattr(layer, "d" + parameter, np.empty(shape))
    for statistic, shape in layer.state_shapes.items():
        setattr(layer, statistic, np.empty(shape))
    layer.initialize(rng)
    ws = SimpleNamespace(**{k: np.empty(shape) for k, shape in layer.buffers(n_rows).items()})
    x, dy = rng.standard_normal((n_rows, layer.n_in)), rng.standard_normal((n_rows, layer.n_out))

    def objective():
        return np.vdot(dy, layer.forward(x.copy(), ws, np.random.default_rng(4)))

    objective()
    dx = layer.backward(dy.copy(), ws).copy()
    computed = [getattr(layer, "d" + parameter).copy() for parameter in layer.shapes]
    assert relative_error(dx, differences(objective, x)) <= TOLERANCE
    for parameter, gradient in zip(layer.shapes, computed, strict=True):
        expected = differences(objective, getattr(layer, parameter))
        assert relative_error(gradient, expected) <= TOLERANCE
