"""An example's way through a network: the same numbers as forward and backward passes give."""

import numpy as np
import pytest

from mlp.nn import (
    MLP,
    SGD,
    ActivationFunction,
    MeanSquaredError,
    SoftmaxCrossEntropy,
    trace_example,
)

OPTIONS = [
    {},
    {"activation": "tanh", "hidden_sizes": [5]},
    {"batch_norm": True},
    {"input_scale": True, "activation": "gelu"},
    {"activation": "maxout:3", "max_norm": 1.0},
    {"hidden_sizes": []},
]


def network_of(loss=None, **options):
    model = MLP(**{"hidden_sizes": [7, 6], "dtype": "float64"} | options)
    return model.build(4, 3, loss or SoftmaxCrossEntropy(), np.random.default_rng(0))


@pytest.fixture
def example():
    return np.random.default_rng(1).normal(size=(1, 4)), np.array([2])


@pytest.mark.parametrize("options", OPTIONS)
def test_each_step_is_that_of_a_training_step(options, example):
    network, (x, y) = network_of(**options), example
    trace = trace_example(network, x, y)
    ws = network.workspace(1)
    loss = network.loss_and_gradients(x, y, ws, np.random.default_rng(0))
    assert trace.loss == loss
    np.testing.assert_array_equal(trace.a, ws.loss.a[0])
    np.testing.assert_array_equal(trace.t, [0, 0, 1])
    np.testing.assert_array_equal(trace.layers[-1].y, network.forward(x, ws, None)[0])
    assert len(trace.layers) == len(network.layers)
    for traced, layer in zip(trace.layers, network.layers, strict=True):
        for name in layer.shapes:
            gradient = getattr(layer, f"d{name}")
            np.testing.assert_array_equal(getattr(traced.layer, f"d{name}"), gradient)
            if name == "W":
                np.testing.assert_allclose(np.outer(traced.x, traced.dy), gradient, rtol=1e-12)
    for before, after in zip(trace.layers, trace.layers[1:], strict=False):
        np.testing.assert_array_equal(before.y, after.x)


@pytest.mark.parametrize("options", OPTIONS)
def test_the_weight_s_gradient_is_the_slope_that_is_measured(options, example):
    weight = trace_example(network_of(**options), *example).weight
    assert weight.gradient == pytest.approx(weight.traced.x[weight.i] * weight.traced.dy[weight.j])
    assert weight.measured == pytest.approx(weight.gradient, rel=1e-6)
    assert abs(weight.gradient) == np.abs(weight.traced.layer.dW).max() > 0
    assert weight.traced.layer.W[weight.i, weight.j] == weight.value


class Straight(ActivationFunction):
    """z², which says that its slope is 1."""

    approximate = True

    def forward(self, z, out, scratch):
        np.multiply(z, z, out=out)

    def backward(self, z, a, delta, scratch):
        pass


def test_a_gradient_that_is_not_the_slope_is_noticed(example):
    network = network_of(activation=f"{__name__}.Straight")
    assert not trace_example(network, *example).weight.agrees
    assert trace_example(network_of(), *example).weight.agrees


def test_loss_after_a_step_of_gradient_descent(example):
    network, (x, y) = network_of(), example
    trace = trace_example(network, x, y)
    optimizer, ws = SGD(0.1), network.workspace(1)
    optimizer.bind(network.params, network.grads, network.n_decayed)
    network.loss_and_gradients(x, y, ws, np.random.default_rng(0))
    optimizer.step(0.1)
    assert trace.loss_after_step(0.1) == pytest.approx(network.mean_loss(x, y, ws), rel=1e-12)
    assert trace.loss_after_step(0) == trace.loss > trace.loss_after_step(0.1)


def test_dropout_is_off_and_the_network_is_left_as_it_is(example):
    network = network_of(dropout=0.5, input_dropout=0.2)
    before = network.params.copy()
    trace, plain = trace_example(network, *example), trace_example(network_of(), *example)
    assert trace.loss == plain.loss
    np.testing.assert_array_equal(trace.weight.gradient, plain.weight.gradient)
    np.testing.assert_array_equal(network.params, before)
    assert not network.grads.any()


def test_in_double_precision_whatever_the_network_s(example):
    network = network_of(dtype="float32")
    trace = trace_example(network, *example)
    x = example[0].astype("float32")
    assert trace.loss == pytest.approx(
        network.mean_loss(x, example[1], network.workspace(1)), rel=1e-5
    )
    assert trace.weight.measured == pytest.approx(trace.weight.gradient, rel=1e-6)


def test_numbers_as_targets(example):
    network = network_of(loss=MeanSquaredError(output_activation="identity"))
    targets = np.array([[0.5, -1.0, 2.0]])
    trace = trace_example(network, example[0], targets)
    np.testing.assert_array_equal(trace.layers[-1].dy, trace.a - targets[0])
    assert trace.loss == pytest.approx(0.5 * np.square(trace.a - targets).sum())
