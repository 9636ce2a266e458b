"""Layers one by one: what each computes, in training and in evaluation."""

import numpy as np
import pytest

from mlp.nn.activations import ACTIVATIONS
from mlp.nn.batch_norm import BatchNorm
from mlp.nn.dropout import Dropout
from mlp.nn.layers import Activation, Dense
from mlp.nn.maxout import Maxout
from mlp.nn.scale import Scale


def bound(layer, n_batch, seed=0, dtype="float64"):
    """Give a layer parameters of its own, as a network would; return it with its buffers."""
    for name, shape in layer.shapes.items():
        setattr(layer, name, np.empty(shape, dtype))
        setattr(layer, "d" + name, np.empty(shape, dtype))
    for name, shape in layer.state_shapes.items():
        setattr(layer, name, np.empty(shape, dtype))
    layer.initialize(np.random.default_rng(seed))
    return layer, layer.buffers(n_batch, np.dtype(dtype))


def random_batch(n_batch, n, seed=1):
    return np.random.default_rng(seed).normal(3, 2, (n_batch, n))


class TestDense:
    """z = x·W + b, dW = xᵀ·dz, db = Σ dz, dx = dz·Wᵀ."""

    def test_by_hand(self):
        """Two inputs, one output, two rows, worked out on paper."""
        layer, ws = bound(Dense(2, 1), 2)
        layer.W[:], layer.b[:] = [[2], [3]], [10]
        z = layer.forward(np.array([[1.0, 1], [0, 2]]), ws, None)
        assert z.tolist() == [[15], [16]]
        dx = layer.backward(np.array([[1.0], [-1]]), ws)
        assert layer.dW.tolist() == [[1], [-1]]
        assert layer.db.tolist() == [0]
        assert dx.tolist() == [[2, 3], [-2, -3]]

    def test_input_gradient_on_request_only(self):
        """Below the first trained layer nobody needs dL/dx."""
        layer, ws = bound(Dense(2, 1), 3)
        layer.forward(random_batch(3, 2), ws, None)
        assert layer.backward(np.ones((3, 1)), ws, input_gradient=False) is None

    def test_max_norm(self):
        """Each unit's incoming weights are shortened to the bound; shorter ones stay."""
        layer, _ = bound(Dense(3, 2, max_norm=2.0), 1)
        short, long = np.array([0.1, 0.2, 0.3]), np.array([6.0, 0.0, 8.0])
        layer.W[:] = np.stack([short, long], axis=1)
        layer.project()
        np.testing.assert_array_equal(layer.W[:, 0], short)
        np.testing.assert_allclose(layer.W[:, 1], long / 5, rtol=1e-15)

    def test_max_norm_holds_from_the_start(self):
        """The initial weights are inside the bound, too."""
        layer, _ = bound(Dense(50, 20, weight_init="normal(1)", max_norm=0.5), 1)
        np.testing.assert_allclose(np.linalg.norm(layer.W, axis=0), 0.5)


@pytest.mark.parametrize("in_place", [False, True])
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activation_layer(name, in_place):
    """The layer returns φ(z), in z's own place where it may and φ' can be had from a."""
    layer = Activation(5, name)
    layer.in_place = in_place
    layer, ws = bound(layer, 4)
    z = random_batch(4, 5)
    expected = np.empty_like(z)
    ACTIVATIONS[name].forward(z.copy(), expected, np.empty_like(z))
    a = layer.forward(z, ws, None)
    np.testing.assert_array_equal(a, expected)
    assert (a is z) == (in_place and ACTIVATIONS[name].reads == "a")


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: Dense(0, 3), "n_in must be at least 1, got 0"),
        (lambda: Dense(4, 3, max_norm=0), "max_norm must be greater than 0, got 0"),
        (lambda: Dense(4, 3, weight_init="he"), "initializer must be one of"),
        (lambda: Activation(4, "rleu"), "did you mean 'relu'"),
        (lambda: Dropout(4, 1.5), "rate must be at least 0 and below 1, got 1.5"),
        (lambda: BatchNorm(4, momentum=1.5), "momentum must be at most 1, got 1.5"),
        (lambda: Dense(4, 3, bias_lr_factor=0), "bias_lr_factor must be greater than 0, got 0"),
        (lambda: Scale(4, lr_factor=-1), "lr_factor must be greater than 0, got -1"),
        (lambda: Maxout(4, pieces=1), "pieces must be at least 2, got 1"),
        (lambda: BatchNorm(4, eps=0), "eps must be greater than 0, got 0"),
    ],
)
def test_arguments_are_checked(make, sentence):
    """A layer that could not work is not made."""
    with pytest.raises(ValueError, match=sentence):
        make()


def test_scale():
    """It starts as the identity; its factors' gradients are summed over the batch."""
    layer, ws = bound(Scale(2), 2)
    x = np.array([[1.0, 2], [3, 4]])
    np.testing.assert_array_equal(layer.forward(x, ws, None), x)
    layer.s[:] = [10, -1]
    assert layer.forward(x, ws, None).tolist() == [[10, -2], [30, -4]]
    assert layer.backward(np.array([[1.0, 1], [2, 0]]), ws).tolist() == [[10, -1], [20, 0]]
    assert layer.ds.tolist() == [7, 2]


def test_maxout():
    """The larger piece of each unit, and its gradient goes there; of equals to the first."""
    layer, ws = bound(Maxout(2, pieces=2), 2)
    z = np.array([[1.0, 5, 3, 4], [7, 0, 7, 9]])  # p1u1 p1u2 p2u1 p2u2
    assert layer.forward(z, ws, None).tolist() == [[3, 5], [7, 9]]
    dz = layer.backward(np.array([[10.0, 20], [30, 40]]), ws)
    assert dz.tolist() == [[0, 20, 10, 0], [30, 0, 0, 40]]


class TestDropout:
    """Inverted dropout with probability ``rate``."""

    @pytest.mark.parametrize("dtype", ["float32", "float64"])
    def test_zero_or_scaled(self, dtype):
        """In training an output is either 0 or x / keep, nothing else."""
        layer, ws = bound(Dropout(50, 0.3), 20, dtype=dtype)
        x = random_batch(20, 50).astype(dtype)
        y = layer.forward(x, ws, np.random.default_rng(0))
        dropped = y == 0
        np.testing.assert_allclose(y[~dropped], x[~dropped] / 0.7, rtol=1e-6)
        assert 0 < dropped.mean() < 1

    def test_expected_value(self):
        """The share of zeros is the rate, and the mean of y is x: 5 standard errors."""
        n, rate = 400, 0.3
        layer, ws = bound(Dropout(n, rate), n)
        y = layer.forward(np.ones((n, n)), ws, np.random.default_rng(0))
        error = np.sqrt(rate * (1 - rate)) / n
        assert abs((y == 0).mean() - rate) < 5 * error
        assert abs(y.mean() - 1) < 5 * error / (1 - rate)

    def test_evaluation_is_the_identity(self):
        """Without a generator the input comes back as it is."""
        layer, ws = bound(Dropout(5, 0.5), 4)
        x = random_batch(4, 5)
        assert layer.forward(x, ws, None) is x

    def test_equal_generators_equal_masks(self):
        """The masks depend on the generator alone, and on every draw."""
        layer, ws = bound(Dropout(30, 0.5), 4)
        rng, x = np.random.default_rng(7), np.ones((4, 30))
        first, second = layer.forward(x, ws, rng).copy(), layer.forward(x, ws, rng).copy()
        again = layer.forward(x, ws, np.random.default_rng(7))
        np.testing.assert_array_equal(again, first)
        assert (first != second).any()

    def test_gradient_takes_the_same_mask(self):
        """What was dropped gets no gradient, the rest is scaled alike."""
        layer, ws = bound(Dropout(30, 0.5), 4)
        y = layer.forward(np.ones((4, 30)), ws, np.random.default_rng(0)).copy()
        np.testing.assert_array_equal(layer.backward(np.ones((4, 30)), ws), y)


class TestBatchNorm:
    """y = γ·x̂ + β; statistics of the batch in training, running ones in evaluation."""

    def train(self, layer, ws, x):
        return layer.forward(x, ws, np.random.default_rng(0)).copy()

    def test_normalises_the_batch(self):
        """With γ = 1, β = 0 each feature has mean 0 and variance σ²/(σ² + ε)."""
        layer, ws = bound(BatchNorm(5), 64)
        x = random_batch(64, 5)
        y = self.train(layer, ws, x)
        np.testing.assert_allclose(y.mean(axis=0), 0, atol=1e-14)
        np.testing.assert_allclose(y.var(axis=0), x.var(axis=0) / (x.var(axis=0) + 1e-5))

    def test_scale_and_shift(self):
        """γ and β are then the deviation and the mean of each feature."""
        layer, ws = bound(BatchNorm(3, eps=1e-12), 64)
        layer.gamma[:], layer.beta[:] = [1, 2, 3], [-1, 0, 1]
        y = self.train(layer, ws, random_batch(64, 3))
        np.testing.assert_allclose(y.std(axis=0), [1, 2, 3])
        np.testing.assert_allclose(y.mean(axis=0), [-1, 0, 1], atol=1e-13)

    def test_running_statistics(self):
        """running ← 0.9·running + 0.1·batch, the batch's variance being the unbiased one."""
        layer, ws = bound(BatchNorm(4), 8)
        mean, var = np.zeros(4), np.ones(4)
        for seed in range(3):
            x = random_batch(8, 4, seed)
            self.train(layer, ws, x)
            mean = 0.9 * mean + 0.1 * x.mean(axis=0)
            var = 0.9 * var + 0.1 * x.var(axis=0, ddof=1)
        np.testing.assert_allclose(layer.running_mean, mean)
        np.testing.assert_allclose(layer.running_var, var)

    def test_evaluation(self):
        """Each row is normalised by the running statistics, whatever else is in its batch."""
        layer, ws = bound(BatchNorm(4), 8)
        self.train(layer, ws, random_batch(8, 4))
        mean, var = layer.running_mean.copy(), layer.running_var.copy()
        x = random_batch(8, 4, seed=2)
        y = layer.forward(x, ws, None)
        np.testing.assert_allclose(y, (x - mean) / np.sqrt(var + 1e-5))
        np.testing.assert_array_equal(layer.running_mean, mean)
        np.testing.assert_array_equal(layer.running_var, var)

    def test_one_row(self):
        """A training batch of one row is treated as in evaluation, and updates nothing."""
        layer, ws = bound(BatchNorm(4), 1)
        layer.running_mean[:], layer.running_var[:] = [1, 2, 3, 4], [1, 4, 9, 16]
        x = random_batch(1, 4)
        y = self.train(layer, ws, x)
        np.testing.assert_array_equal(y, layer.forward(x, ws, None))
        np.testing.assert_allclose(y, (x - [1, 2, 3, 4]) / [1, 2, 3, 4], rtol=1e-4)
        assert layer.running_mean.tolist() == [1, 2, 3, 4]
        assert layer.running_var.tolist() == [1, 4, 9, 16]

    def test_constant_feature(self):
        """A feature without variance becomes β, not NaN."""
        layer, ws = bound(BatchNorm(2), 8)
        np.testing.assert_array_equal(self.train(layer, ws, np.full((8, 2), 5.0)), 0)
