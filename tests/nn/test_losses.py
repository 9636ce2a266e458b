"""Losses: values, outputs and output deltas, far from zero too, and the pairs that are refused."""

import tracemalloc

import numpy as np
import pytest

from mlp.nn import BinaryCrossEntropy, MeanSquaredError, SoftmaxCrossEntropy

LOSSES = {
    "softmax": SoftmaxCrossEntropy(),
    "binary": BinaryCrossEntropy(),
    "squares, identity": MeanSquaredError("identity"),
    "squares, sigmoid": MeanSquaredError("sigmoid"),
    "squares, tanh": MeanSquaredError("tanh", low=-1, high=1),
    "softmax, smoothed and weighted": SoftmaxCrossEntropy("softmax", 0.1, [1, 2, 0.5, 3]),
    "binary, smoothed and weighted": BinaryCrossEntropy("sigmoid", 0.1, [1, 2, 0.5, 3]),
    "squares, weighted": MeanSquaredError(class_weights=[1, 2, 0.5, 3]),
}
CROSS_ENTROPIES = {name: LOSSES[name] for name in ("softmax", "binary")}


def evaluate(loss, z, y):
    """Return value, outputs a and δ for the pre-activations ``z`` and the classes ``y``."""
    ws = loss.buffers(*z.shape, z.dtype)
    loss.set_targets(y, ws)
    value = loss.forward(z, ws)
    return value, ws.a.copy(), loss.backward(ws).copy()


@pytest.fixture
def z():
    return np.random.default_rng(0).normal(0, 2, (6, 4))


@pytest.fixture
def y():
    return np.array([0, 1, 2, 3, 1, 0])


def test_softmax_cross_entropy(z, y):
    """The mean of −log p of the right class; p = exp z / Σ exp z."""
    value, a, _ = evaluate(SoftmaxCrossEntropy(), z, y)
    p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(a, p)
    np.testing.assert_allclose(value, -np.log(p[np.arange(6), y]).mean())


def test_binary_cross_entropy(z, y):
    """Summed over the outputs, averaged over the rows."""
    value, a, _ = evaluate(BinaryCrossEntropy(), z, y)
    p, t = 1 / (1 + np.exp(-z)), np.eye(4)[y]
    np.testing.assert_allclose(a, p)
    np.testing.assert_allclose(value, -(t * np.log(p) + (1 - t) * np.log(1 - p)).sum() / 6)


@pytest.mark.parametrize(
    ("name", "phi"),
    [("identity", lambda z: z), ("sigmoid", lambda z: 1 / (1 + np.exp(-z))), ("tanh", np.tanh)],
)
@pytest.mark.parametrize(("low", "high"), [(0, 1), (-1, 1), (0.1, 0.9)])
def test_mean_squared_error(name, phi, low, high, z, y):
    """Half the squared distance from the target row, whose values can be chosen."""
    value, a, _ = evaluate(MeanSquaredError(name, low, high), z, y)
    t = np.full((6, 4), float(low))
    t[np.arange(6), y] = high
    np.testing.assert_allclose(a, phi(z))
    np.testing.assert_allclose(value, 0.5 * ((phi(z) - t) ** 2).sum() / 6)


@pytest.mark.parametrize("name", CROSS_ENTROPIES)
def test_canonical_delta(name, z, y):
    """Of a cross-entropy with its own output activation δ is (a − t) / n."""
    _, a, delta = evaluate(LOSSES[name], z, y)
    np.testing.assert_allclose(delta, (a - np.eye(4)[y]) / 6)


@pytest.mark.parametrize("name", LOSSES)
def test_delta_is_the_derivative(name, z, y):
    """Δ agrees with central differences of the value, and z is left as it was."""
    loss, h = LOSSES[name], 1e-6
    before = z.copy()
    _, _, delta = evaluate(loss, z, y)
    np.testing.assert_array_equal(z, before)
    expected = np.empty_like(z)
    for i in np.ndindex(z.shape):
        up, down = z.copy(), z.copy()
        up[i] += h
        down[i] -= h
        expected[i] = (evaluate(loss, up, y)[0] - evaluate(loss, down, y)[0]) / (2 * h)
    assert np.linalg.norm(delta - expected) <= 1e-7 * np.linalg.norm(expected)


@pytest.mark.parametrize("name", LOSSES)
def test_mean_over_the_batch(name, z, y):
    """A batch taken twice has the same loss, and each row half the delta."""
    value, _, delta = evaluate(LOSSES[name], z, y)
    twice, _, deltas = evaluate(LOSSES[name], np.tile(z, (2, 1)), np.tile(y, 2))
    np.testing.assert_allclose(twice, value)
    np.testing.assert_allclose(deltas, np.tile(delta, (2, 1)) / 2)


def test_label_smoothing(z, y):
    """A share ε of the softmax target is spread over all classes; a sigmoid's is drawn to 1/2."""
    log_p = z - np.log(np.exp(z).sum(axis=1, keepdims=True))
    t = 0.8 * np.eye(4)[y] + 0.2 / 4
    value, a, delta = evaluate(SoftmaxCrossEntropy(label_smoothing=0.2), z, y)
    np.testing.assert_allclose(value, -(t * log_p).sum() / 6)
    np.testing.assert_allclose(delta, (a - t) / 6)
    _, a, delta = evaluate(BinaryCrossEntropy(label_smoothing=0.2), z, y)
    np.testing.assert_allclose(delta, (a - (0.8 * np.eye(4)[y] + 0.1)) / 6)


@pytest.mark.parametrize("kind", [SoftmaxCrossEntropy, BinaryCrossEntropy, MeanSquaredError])
def test_class_weights(kind, z, y):
    """The mean of the rows' losses weighted by their classes: Σ w·L / Σ w."""
    rows = [evaluate(kind(), z[i : i + 1], y[i : i + 1]) for i in range(6)]
    weights = np.array([1, 2, 0.5, 3])
    w = weights[y] / weights[y].sum()
    value, _, delta = evaluate(kind(class_weights=list(weights)), z, y)
    np.testing.assert_allclose(value, sum(w * [loss for loss, _, _ in rows]))
    np.testing.assert_allclose(delta, w[:, None] * np.concatenate([d for _, _, d in rows]))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"label_smoothing": 1}, "label_smoothing must be at least 0 and below 1, got 1"),
        ({"class_weights": [1, 0]}, r"class_weights\[1\] must be greater than 0, got 0"),
    ],
)
def test_smoothing_and_weights_out_of_range(arguments, message):
    """They are refused by name."""
    with pytest.raises(ValueError, match=message):
        SoftmaxCrossEntropy(**arguments)


def test_a_loss_is_named_with_its_settings():
    """Losses of one kind whose values cannot be compared have different names."""
    assert str(SoftmaxCrossEntropy()) == "SoftmaxCrossEntropy"
    loss = MeanSquaredError("tanh", low=-1, class_weights=[1, 2])
    assert str(loss) == ("MeanSquaredError(output_activation=tanh, low=-1, class_weights=[1, 2])")


def test_a_weight_for_each_class():
    """Too few or too many weights are refused before the training."""
    SoftmaxCrossEntropy(class_weights=[1, 2, 3]).check(3)
    SoftmaxCrossEntropy().check(3)
    with pytest.raises(ValueError, match="one weight for each of the 4 classes, got 3"):
        SoftmaxCrossEntropy(class_weights=[1, 2, 3]).check(4)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
class TestFarLogits:
    """At ±1e4 exp overflows and the naive formulas give infinity or NaN."""

    def test_softmax_right(self, dtype):
        """The right class far above: loss 0, and nothing left to learn."""
        z = np.array([[1e4, -1e4, 0], [-1e4, 1e4, 0]], dtype)
        value, a, delta = evaluate(SoftmaxCrossEntropy(), z, np.array([0, 1]))
        assert value == 0
        assert a.tolist() == [[1, 0, 0], [0, 1, 0]]
        assert not delta.any()

    def test_softmax_wrong(self, dtype):
        """The right class far below: the loss is the distance."""
        z = np.array([[1e4, -1e4, 0]], dtype)
        value, _, delta = evaluate(SoftmaxCrossEntropy(), z, np.array([1]))
        assert value == 2e4
        assert delta.tolist() == [[1, -1, 0]]

    def test_softmax_of_equal_logits(self, dtype):
        """The common level of the logits does not matter."""
        value, a, _ = evaluate(SoftmaxCrossEntropy(), np.full((2, 4), 1e4, dtype), np.array([0, 3]))
        np.testing.assert_allclose(value, np.log(4), rtol=1e-6)
        np.testing.assert_array_equal(a, 0.25)

    def test_binary_right(self, dtype):
        """Every output on its side: loss 0."""
        value, _, delta = evaluate(
            BinaryCrossEntropy(), np.array([[1e4, -1e4, -1e4]], dtype), np.array([0])
        )
        assert value == 0
        assert not delta.any()

    def test_binary_wrong(self, dtype):
        """Every output on the wrong side: the sum of the distances."""
        z = np.array([[-1e4, 1e4, 1e4]], dtype)
        value, a, delta = evaluate(BinaryCrossEntropy(), z, np.array([0]))
        assert value == 3e4
        assert a.tolist() == [[0, 1, 1]]
        assert delta.tolist() == [[-1, 1, 1]]

    @pytest.mark.parametrize("name", ["sigmoid", "tanh"])
    def test_saturated_squares(self, dtype, name):
        """Wrong and saturated: the loss is finite and the delta 0."""
        loss = MeanSquaredError(name)
        value, _, delta = evaluate(loss, np.array([[-1e4, 1e4]], dtype), np.array([0]))
        assert value == {"sigmoid": 1.0, "tanh": 2.5}[name]
        assert not delta.any()


@pytest.mark.parametrize(
    ("loss", "output_activation", "allowed"),
    [
        (SoftmaxCrossEntropy, "tanh", "softmax"),
        (SoftmaxCrossEntropy, "sigmoid", "softmax"),
        (BinaryCrossEntropy, "softmax", "sigmoid"),
        (BinaryCrossEntropy, "identity", "sigmoid"),
        (MeanSquaredError, "softmax", "identity or sigmoid or tanh or scaled_tanh"),
        (MeanSquaredError, "relu", "identity or sigmoid or tanh or scaled_tanh"),
    ],
)
def test_refused_pair(loss, output_activation, allowed):
    """A pair that is not meant is refused by name, with those that are."""
    message = f"output_activation must be {allowed} for {loss.__name__}, got '{output_activation}'"
    with pytest.raises(ValueError, match=message):
        loss(output_activation=output_activation)


def test_targets_in_order():
    """The right class cannot be worth less than a wrong one."""
    with pytest.raises(ValueError, match="low must be less than high, got 1 and 0"):
        MeanSquaredError(low=1, high=0)


def test_only_cross_entropies_give_probabilities():
    """Squared errors leave scores, which need not lie in [0, 1] nor sum to 1."""
    gives = {name: loss.gives_probabilities for name, loss in LOSSES.items()}
    assert gives == {name: not name.startswith("squares") for name in LOSSES}


@pytest.mark.parametrize("label", [4, 100])
def test_label_beyond_the_classes_is_refused(z, label):
    """It is not taken for the last class."""
    with pytest.raises(ValueError, match=f"labels must be 0 to 3, got {label}"):
        evaluate(SoftmaxCrossEntropy(), z, np.array([0, 1, label, 3, 1, 0]))


def test_many_classes_take_no_square_of_memory():
    """Twenty thousand classes, a batch of two: kilobytes, not the 1.6 GB of a row for each."""
    tracemalloc.start()
    ws = SoftmaxCrossEntropy().buffers(2, 20_000, np.dtype("float32"))
    SoftmaxCrossEntropy().set_targets(np.array([7, 19_999]), ws)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1e6
