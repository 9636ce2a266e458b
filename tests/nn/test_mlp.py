"""The hyper-parameters of a perceptron: what they build, and what they refuse."""

from itertools import pairwise

import numpy as np
import pytest

from mlp.nn import (
    MLP,
    Activation,
    Adam,
    BatchNorm,
    Dense,
    Dropout,
    Maxout,
    Scale,
    SoftmaxCrossEntropy,
)


def kinds(model):
    return [type(layer) for layer in model.layers(4, 3)]


def build(model, seed=0):
    return model.build(4, 3, SoftmaxCrossEntropy(), np.random.default_rng(seed))


def test_order_within_a_hidden_layer():
    """Dense, batch norm, activation, dropout; the output layer is dense alone."""
    model = MLP([6, 5], batch_norm=True, dropout=0.5, input_dropout=0.2)
    hidden = [Dense, BatchNorm, Activation, Dropout]
    assert kinds(model) == [Dropout, *hidden, *hidden, Dense]


def test_only_what_was_asked_for():
    """Without dropout and batch norm there are no such layers."""
    assert kinds(MLP([6])) == [Dense, Activation, Dense]
    assert kinds(MLP([])) == [Dense]


def test_an_input_scale_comes_first():
    """It scales the inputs that dropout may then leave out."""
    model = MLP([], input_scale=True, input_dropout=0.2)
    assert kinds(model) == [Scale, Dropout, Dense]


def test_maxout_units():
    """A hidden layer of n maxout units has n outputs, and a weight for each input and piece."""
    model = MLP([6, 5], ["maxout:3", "tanh"], batch_norm=True, dropout=0.5)
    hidden = [Dense, BatchNorm, Maxout, Dropout, Dense, BatchNorm, Activation, Dropout]
    assert kinds(model) == [*hidden, Dense]
    assert dict(build(model).named_arrays())["W1"].shape == (4, 18)


@pytest.mark.parametrize("activation", ["relu", "maxout:3"])
def test_widths(activation):
    """Each layer takes what the one before gives."""
    layers = MLP([6, 5], activation, batch_norm=True, dropout=0.5).layers(4, 3)
    assert (layers[0].n_in, layers[-1].n_out) == (4, 3)
    for one, following in pairwise(layers):
        assert one.n_out == following.n_in


def test_an_activation_for_each_layer():
    """A list names them in order; lists come from YAML, tuples from Python."""
    for names in (["tanh", "relu"], ("tanh", "relu")):
        layers = MLP([6, 5], names).layers(4, 3)
        assert [str(layer) for layer in layers if isinstance(layer, Activation)] == list(names)


def test_no_bias_under_batch_norm():
    """Batch norm subtracts it again; the output layer, which has none, keeps its bias."""
    names = {name for name, _ in build(MLP([6], batch_norm=True)).named_arrays()}
    assert "b1" not in names
    assert "b2" in names


def test_initial_values():
    """Weights and biases are drawn from the initializers named."""
    network = build(MLP([200], weight_init="uniform(0.05)", bias_init="normal(0.01)"))
    p = dict(network.named_arrays())
    assert 0.04 < np.abs(p["W1"]).max() <= 0.05
    assert 0.005 < p["b1"].std() < 0.015


def test_the_output_layer_can_start_otherwise():
    """From zero, all classes are equally likely at first."""
    p = dict(build(MLP([6], bias_init="normal:1", output_init="zeros")).named_arrays())
    assert not p["W2"].any()
    assert not p["b2"].any()
    assert p["W1"].any()
    assert p["b1"].any()


def test_learning_rate_factors():
    """Weights by their number of inputs, scales and biases as asked; 1 everywhere by default."""
    model = MLP([8], input_scale=True, scale_lr_factor=6, bias_lr_factor=0.1, fan_in_lr=True)
    factors = [(cut.stop - cut.start, factor) for cut, factor in build(model).lr_factors]
    assert factors == [(4 * 8, 1 / 4**0.5), (8 * 3, 1 / 8**0.5), (4, 6), (8 + 3, 0.1)]
    assert build(MLP([6, 5], input_scale=True)).lr_factors == [
        (slice(0, build(MLP([6, 5], input_scale=True)).params.size), 1.0)
    ]


def test_fan_in_rates_are_the_neural_tangent_parametrization():
    """Training W as fan_in_lr does is training V of z = x·V/√n + b with Adam at the full rate."""
    rng = np.random.default_rng(0)
    x, y, lr = rng.standard_normal((30, 4)), rng.integers(0, 3, 30), 0.04
    model = MLP([], weight_init="lecun_normal", fan_in_lr=True, dtype="float64")
    network = build(model)
    ws, adam, adam_v = network.workspace(30), Adam(eps=1e-30), Adam(eps=1e-30)
    adam.bind(network.params, network.grads, network.n_decayed, network.lr_factors)
    v = network.params.copy()  # V and b
    v[: network.n_decayed] *= 4**0.5
    dv = np.empty_like(v)
    adam_v.bind(v, dv, network.n_decayed)
    for _ in range(20):
        network.loss_and_gradients(x, y, ws, rng)
        dv[:] = network.grads
        dv[: network.n_decayed] /= 4**0.5
        adam.step(lr)
        adam_v.step(lr)
    v[: network.n_decayed] /= 4**0.5
    np.testing.assert_allclose(network.params, v, rtol=1e-10)


def test_equal_seeds_equal_weights():
    """The weights depend on the generator alone."""
    model = MLP([6, 5])
    np.testing.assert_array_equal(build(model, 3).params, build(model, 3).params)
    assert (build(model, 3).params != build(model, 4).params).any()


def test_float32_is_float64_rounded():
    """Both types start from the same draws."""
    single, double = build(MLP([6], dtype="float32")), build(MLP([6], dtype="float64"))
    np.testing.assert_array_equal(single.params, double.params.astype("float32"))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"hidden_sizes": [64, 0]}, r"hidden_sizes\[1\] must be at least 1, got 0"),
        ({"hidden_sizes": [-3]}, r"hidden_sizes\[0\] must be at least 1, got -3"),
        ({"activation": "rleu"}, "activation must be one of .*did you mean 'relu'"),
        ({"activation": ["relu"]}, "one for each of the 2 hidden layers, got 1"),
        ({"activation": "Relu"}, "activation must be one of .*did you mean 'relu'"),
        ({"activation": ["relu", "softmax"]}, "activation must be one of .*got 'softmax'"),
        ({"activation": "maxout"}, "maxout:5 or another number of pieces from 2, got 'maxout'"),
        ({"activation": "maxout:1"}, "maxout:5 or another number of pieces from 2, got 'maxout:1'"),
        ({"output_init": "zero"}, "output_init must be one of .*did you mean 'zeros'"),
        ({"scale_lr_factor": 0}, "scale_lr_factor must be greater than 0, got 0"),
        ({"bias_lr_factor": -1}, "bias_lr_factor must be greater than 0, got -1"),
        ({"weight_init": "xavier"}, "weight_init must be one of .*got 'xavier'"),
        ({"bias_init": "normal"}, "bias_init must be one of .*got 'normal'"),
        ({"dropout": 1}, "dropout must be at least 0 and below 1, got 1"),
        ({"input_dropout": -0.1}, "input_dropout must be at least 0 and below 1, got -0.1"),
        ({"l1": -1e-4}, "l1 must be at least 0, got -0.0001"),
        ({"l2": float("nan")}, "l2 must be at least 0, got nan"),
        ({"max_norm": 0}, "max_norm must be greater than 0, got 0"),
        ({"max_norm": [1, 0, 1]}, "max_norm must be greater than 0, got 0"),
        ({"weight_init": ["zeros"]}, "weight_init must be one, or one for each of the 3 layers"),
        ({"dtype": "float16"}, "dtype must be float32 or float64, got 'float16'"),
    ],
)
def test_refused(arguments, message):
    """A value out of range is refused with its name, and what would be right."""
    with pytest.raises(ValueError, match=message):
        MLP(**arguments)


def test_each_layer_may_have_its_own_initial_weights_and_bound():
    """The output layer's stand last."""
    bounds = [0.1, 0.2, 0.4]
    model = MLP([50, 40], weight_init=[f"uniform:{b}" for b in bounds], max_norm=[1, 2, 3])
    dense = [layer for layer in build(model).layers if isinstance(layer, Dense)]
    assert [layer.max_norm for layer in dense] == [1, 2, 3]
    for layer, bound in zip(dense, bounds, strict=True):
        assert 0.9 * bound < np.abs(layer.W).max() <= bound
