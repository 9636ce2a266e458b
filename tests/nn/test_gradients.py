"""Backpropagation against central differences, in float64.

Two vectors are compared as wholes: ‖computed − differences‖ ≤ 1e-6 · (‖computed‖ + ‖differences‖).
"""

from copy import deepcopy

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mlp.nn import (
    MLP,
    BinaryCrossEntropy,
    Maxout,
    MeanSquaredError,
    Network,
    Scale,
    SoftmaxCrossEntropy,
)
from mlp.nn.activations import ACTIVATIONS
from mlp.nn.batch_norm import BatchNorm
from mlp.nn.dropout import Dropout
from mlp.nn.layers import Activation, Dense

STEP = 1e-6
# those with no kink to step over
SMOOTH = [
    "gelu",
    "silu",
    "mish",
    "softplus",
    "sigmoid",
    "tanh",
    "scaled_tanh",
]
TOLERANCE = 1e-6

LOSSES = {
    "softmax cross-entropy": SoftmaxCrossEntropy(),
    "binary cross-entropy": BinaryCrossEntropy(),
    "squares of identity": MeanSquaredError("identity", low=-1, high=1),
    "squares of sigmoid": MeanSquaredError("sigmoid"),
    "squares of tanh": MeanSquaredError("tanh", low=-1, high=1),
    "squares of scaled tanh": MeanSquaredError("scaled_tanh", low=-1, high=1),
}
EVERYTHING = {"batch_norm": True, "l1": 0.01, "l2": 0.1, "dropout": 0.4, "input_dropout": 0.2}


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
    network = model.build(4, 3, loss, np.random.default_rng(1))
    return gradient_error(network, n_rows)


def gradient_error(network, n_rows):
    """Return the relative error of a network's gradients, on a random batch."""
    rng = np.random.default_rng(1)
    network.params += 0.1 * rng.standard_normal(network.params.size)  # biases, γ and β, too
    x = rng.standard_normal((n_rows, network.n_in))
    y = rng.integers(0, network.n_out, n_rows)
    ws = network.workspace(n_rows)

    def objective():
        return network.mean_loss(x, y, ws, np.random.default_rng(2)) + network.penalty()

    network.loss_and_gradients(x, y, ws, np.random.default_rng(2))
    return relative_error(network.grads.copy(), differences(objective, network.params))


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_every_activation(activation):
    """All parameters' gradients are right, with batch norm, dropout and penalties at work."""
    model = MLP([5, 4], activation, dtype="float64", **EVERYTHING)
    assert network_error(model, SoftmaxCrossEntropy()) <= TOLERANCE


@pytest.mark.parametrize("sizes", [[], [5, 4]])
@pytest.mark.parametrize("loss", LOSSES)
def test_every_loss(loss, sizes):
    """So they are for each loss; a linear model is the same code with an empty list."""
    assert network_error(MLP(sizes, "tanh", dtype="float64"), LOSSES[loss]) <= TOLERANCE


def test_everything_that_a_perceptron_can_have():
    """A learnable input scale and maxout units go with all the rest."""
    model = MLP([5, 4], "maxout:3", input_scale=True, dtype="float64", **EVERYTHING)
    assert network_error(model, SoftmaxCrossEntropy(label_smoothing=0.1)) <= TOLERANCE


def test_an_activation_for_each_layer():
    """Activations that read z and activations that read a stand side by side."""
    names = ["gelu", "tanh", "silu", "elu"]
    model = MLP([5, 4, 5, 4], names, dtype="float64")
    assert network_error(model, SoftmaxCrossEntropy()) <= TOLERANCE


@pytest.mark.parametrize("n_rows", [1, 2])
def test_the_smallest_batches_with_batch_norm(n_rows):
    """One row is normalized by constants, two rows are the fewest that have a variance."""
    model = MLP([5, 4], "tanh", batch_norm=True, dtype="float64")
    assert network_error(model, SoftmaxCrossEntropy(), n_rows) <= TOLERANCE


LAYERS = {
    "dense": Dense(4, 3, bias_init="normal(1)"),
    "dense without bias": Dense(4, 3, bias=False),
    "dropout": Dropout(4, 0.3),
    "batch norm": BatchNorm(4),
    "scale": Scale(4),
    "maxout": Maxout(3, pieces=4),
    **{name: Activation(4, name) for name in ACTIVATIONS},
}


@pytest.mark.parametrize("name", LAYERS)
def test_each_layer(name):
    """A layer's dx and its parameters' gradients are right for any dL/d(output)."""
    layer, rng, n_rows = LAYERS[name], np.random.default_rng(3), 6
    for parameter, shape in layer.shapes.items():
        setattr(layer, parameter, np.empty(shape))
        setattr(layer, "d" + parameter, np.empty(shape))
    for statistic, shape in layer.state_shapes.items():
        setattr(layer, statistic, np.empty(shape))
    layer.initialize(rng)
    ws = layer.buffers(n_rows, np.dtype("float64"))
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


@st.composite
def layer_lists(draw):
    """Return layers in any order, of which each takes what the one before it gives."""
    layers, n = [], draw(st.integers(1, 4))
    kinds = st.sampled_from([Dense, Activation, Maxout, Dropout, BatchNorm, Scale])
    for kind in draw(st.lists(kinds, max_size=6)):
        if kind is Dense:
            layers.append(Dense(n, draw(st.integers(1, 4)), bias=draw(st.booleans())))
        elif kind is Activation:
            layers.append(Activation(n, draw(st.sampled_from(SMOOTH))))
        elif kind is Maxout:  # of what a dense layer gives: of equal inputs it would have a kink
            units = draw(st.integers(1, 3))
            layers += [Dense(n, 2 * units), Maxout(units, 2)]
        else:
            layers.append(Dropout(n, 0.3) if kind is Dropout else kind(n))
        n = layers[-1].n_out
    return [*layers, Dense(n, 3)]


@settings(max_examples=60, deadline=None)
@given(layers=layer_lists())
@example(layers=[Dense(4, 3), Activation(3, "tanh"), Activation(3, "sigmoid"), Dense(3, 3)])
@example(layers=[Activation(4, "tanh"), Dense(4, 3)])
@example(layers=[Dense(4, 3), BatchNorm(3), Activation(3, "tanh"), BatchNorm(3)])
@example(layers=[Dropout(4, 0.2), Activation(4, "sigmoid"), Dropout(4, 0.2), Dense(4, 3)])
@example(layers=[Scale(4), Dense(4, 6), Maxout(3, 2), Scale(3), Activation(3, "tanh"), Dense(3, 3)])
@example(layers=[Dense(4, 3), Activation(3, "mish"), Scale(3), Dense(3, 3)])
def test_any_list_of_layers(layers):
    """Gradients are right, the input is left alone, and stored arrays make the same network."""
    network, other = (
        Network(deepcopy(layers), SoftmaxCrossEntropy(), dtype="float64") for _ in "ab"
    )
    network.initialize(np.random.default_rng(0))
    assert gradient_error(network, n_rows=7) <= TOLERANCE
    x = np.random.default_rng(5).standard_normal((6, network.n_in))
    before = x.copy()
    z = network.forward(x, network.workspace(6)).copy()
    np.testing.assert_array_equal(x, before)
    names = [name for name, _ in network.named_arrays()]
    assert len(set(names)) == len(names)
    stored = {name: array.copy() for name, array in network.named_arrays()}
    for name, array in other.named_arrays():
        array[...] = stored[name]
    np.testing.assert_array_equal(other.forward(x, other.workspace(6)), z)
