"""The network as a whole: flat vectors, batches short and long, penalties, what went wrong."""

import numpy as np
import pytest

from mlp.nn import MLP, Activation, Dense, MeanSquaredError, Network, SoftmaxCrossEntropy

FULL = MLP([6, 5], "gelu", dropout=0.3, input_dropout=0.1, batch_norm=True, l1=0.01, l2=0.1)


def build(model, n_in=4, n_out=3, seed=0):
    return model.build(n_in, n_out, SoftmaxCrossEntropy(), np.random.default_rng(seed))


def random_batch(n, dtype="float32", seed=1):
    rng = np.random.default_rng(seed)
    return rng.standard_normal((n, 4)).astype(dtype), rng.integers(0, 3, n)


def train_once(network, x, y, ws):
    """Fill the gradients from one batch; return the loss."""
    return network.loss_and_gradients(x, y, ws, np.random.default_rng(2))


class TestFlatVectors:
    """All parameters are one vector, and each W is a view of its stretch."""

    def test_views(self):
        """Writing into the vectors writes into the layers, and all of each is used."""
        network = build(FULL)
        network.params[:] = np.arange(network.params.size)
        network.state[:] = -1 - np.arange(network.state.size)
        arrays = dict(network.named_arrays())
        seen = np.sort(np.concatenate([a.ravel() for a in arrays.values()]))
        expected = np.concatenate([network.params, network.state])
        np.testing.assert_array_equal(seen, np.sort(expected))
        arrays["W2"][0, 0] = 0.5
        assert 0.5 in network.params

    def test_decayed_first(self):
        """The weights of all layers come first; biases, γ and β follow."""
        network = build(FULL)
        network.params[: network.n_decayed] = 1
        network.params[network.n_decayed :] = 2
        trained = {k: a for k, a in network.named_arrays() if not k.startswith("running")}
        for name, array in trained.items():
            assert (array == (1 if name.startswith("W") else 2)).all()

    @pytest.mark.parametrize("dtype", ["float32", "float64"])
    def test_one_dtype(self, dtype):
        """Parameters, gradients, state and outputs have the dtype that was asked for."""
        network = build(MLP([3], batch_norm=True, dtype=dtype))
        x, y = random_batch(5, dtype)
        ws = network.workspace(5)
        train_once(network, x, y, ws)
        vectors = [network.params, network.grads, network.state, network.forward(x, ws)]
        assert {v.dtype for v in vectors} == {np.dtype(dtype)}


def test_named_arrays():
    """A dense layer opens a number; the batch norm that follows it shares it."""
    names = [name for name, _ in build(FULL).named_arrays()]
    norm = ["gamma{}", "beta{}", "running_mean{}", "running_var{}"]
    of_layer = {i: [f"W{i}", *(name.format(i) for name in norm)] for i in (1, 2)}
    assert names == [*of_layer[1], *of_layer[2], "W3", "b3"]


def test_forward_by_hand():
    """z₂ = relu(x·W₁ + b₁)·W₂ + b₂."""
    network = build(MLP([5]))
    x, _ = random_batch(7)
    p = dict(network.named_arrays())
    p["b1"][:], p["b2"][:] = 0.1, [1, 2, 3]
    expected = np.maximum(x @ p["W1"] + p["b1"], 0) @ p["W2"] + p["b2"]
    np.testing.assert_allclose(network.forward(x, network.workspace(7)), expected, rtol=1e-5)


def test_input_is_left_alone():
    """Neither pass writes into the caller's batch, with or without a hidden layer."""
    for model in (FULL, MLP([]), MLP([5], "relu")):
        network = build(model)
        x, y = random_batch(6)
        before = x.copy()
        train_once(network, x, y, network.workspace(6))
        np.testing.assert_array_equal(x, before)


def test_short_batch_in_a_long_workspace():
    """The first rows of used buffers serve as well as buffers of the right size: the same bits."""
    used, fresh = build(FULL), build(FULL)
    ws = used.workspace(8)
    for n in (8, 3, 1, 8, 2):
        x, y = random_batch(n, seed=n)
        loss = train_once(used, x, y, ws.rows(n))
        assert loss == train_once(fresh, x, y, fresh.workspace(n))
        np.testing.assert_array_equal(used.grads, fresh.grads)
        np.testing.assert_array_equal(used.state, fresh.state)


def test_workspaces_do_not_disturb_each_other():
    """An evaluation between forward and backward pass, in its own workspace, changes nothing."""
    network = build(FULL)
    x, y = random_batch(6)
    ws, other = network.workspace(6), network.workspace(20)
    network.mean_loss(x, y, ws, np.random.default_rng(0))
    outputs = ws.loss.a.copy()
    network.forward(random_batch(20)[0], other)
    np.testing.assert_array_equal(ws.loss.a, outputs)


def test_gradients_are_means_over_the_batch():
    """A batch taken twice has the same gradient."""
    network = build(MLP([5], "tanh", dtype="float64"))
    x, y = random_batch(6, "float64")
    loss = train_once(network, x, y, network.workspace(6))
    grads = network.grads.copy()
    twice = train_once(network, np.tile(x, (2, 1)), np.tile(y, 2), network.workspace(12))
    np.testing.assert_allclose(twice, loss)
    np.testing.assert_allclose(network.grads, grads, rtol=1e-10, atol=1e-15)


def test_penalties():
    """l1·Σ|w| + ½·l2·Σw² over the weights; it enters the gradient, not the loss."""
    plain = build(MLP([5], dtype="float64"))
    penalised = build(MLP([5], l1=0.1, l2=0.3, dtype="float64"))
    x, y = random_batch(6, "float64")
    loss = train_once(plain, x, y, plain.workspace(6))
    assert train_once(penalised, x, y, penalised.workspace(6)) == loss
    w = plain.params[: plain.n_decayed]
    np.testing.assert_allclose(penalised.penalty(), 0.1 * abs(w).sum() + 0.15 * (w**2).sum())
    expected = plain.grads.copy()
    expected[: plain.n_decayed] += 0.1 * np.sign(w) + 0.3 * w
    np.testing.assert_allclose(penalised.grads, expected)


def test_dropout_replays_with_its_generator():
    """Equal generators give equal gradients, others do not."""
    network = build(FULL)
    (x, y), ws = random_batch(6), network.workspace(6)
    runs = []
    for seed in (1, 1, 2):
        network.loss_and_gradients(x, y, ws, np.random.default_rng(seed))
        runs.append(network.grads.copy())
    np.testing.assert_array_equal(runs[0], runs[1])
    assert (runs[0] != runs[2]).any()


def test_max_norm_of_every_layer():
    """After a projection no unit's incoming weights exceed the bound, the output's included."""
    network = build(MLP([6, 5], max_norm=0.5))
    network.params *= 100
    network.project()
    for name, array in network.named_arrays():
        if name.startswith("W"):
            np.testing.assert_allclose(np.linalg.norm(array, axis=0), 0.5, rtol=1e-6)


class TestFirstNonfinite:
    """From input to output, the first place where a value is not finite gets named."""

    def find(self, network, x):
        return network.first_nonfinite(x, network.workspace(len(x)))

    def test_nothing(self):
        """All is well."""
        assert self.find(build(FULL), random_batch(4)[0]) is None

    def test_input(self):
        """The data are at fault."""
        x, _ = random_batch(4)
        x[2, 1] = np.nan
        assert self.find(build(FULL), x) == "the input"

    @pytest.mark.parametrize("name", ["W2", "beta1", "running_var2", "b3"])
    def test_parameter(self, name):
        """A parameter or statistic, with the layer it belongs to."""
        network = build(FULL)
        dict(network.named_arrays())[name].flat[-1] = np.inf
        layer = {"W": "dense 6 → 5", "b": "dense 5 → 3"}.get(name[:-1], "batch norm")
        found = self.find(network, random_batch(4)[0])
        assert found == f"{name} of layer {name[-1]} ({layer})"

    def test_output_of_a_layer(self):
        """Finite parameters whose product overflows."""
        network = build(MLP([6, 5], "identity"))
        for name, array in network.named_arrays():
            if name.startswith("W"):
                array[:] = 1e30
        x = np.ones((4, 4), "float32")
        with np.errstate(over="ignore"):
            assert self.find(network, x) == "the output of layer 2 (dense 6 → 5)"


def test_squared_error_targets():
    """A loss with targets of its own trains on those: a perfect ±1 answer has loss 0."""
    loss = MeanSquaredError("identity", low=-1, high=1)
    network = MLP([]).build(3, 3, loss, np.random.default_rng(0))
    network.params[:] = 0
    dict(network.named_arrays())["W1"][:] = 2 * np.eye(3) - 1
    x, y = np.eye(3, dtype="float32"), np.arange(3)
    assert network.mean_loss(x, y, network.workspace(3)) == 0


@pytest.mark.parametrize(
    ("layers", "sentence"),
    [
        (
            [Dense(4, 3), Dense(2, 3)],
            r"layer 2 \(dense 2 → 3\) takes 2 .* gives 3",
        ),
        ([Dense(4, 3), Activation(4, "relu")], r"layer 2 \(relu\) takes 4 .* gives 3"),
        ([Activation(4, "relu")], "a network needs a layer with parameters"),
        ([], "a network needs a layer with parameters"),
    ],
)
def test_layers_that_do_not_fit_are_refused(layers, sentence):
    """A network is checked when it is made, not when a batch goes through."""
    with pytest.raises(ValueError, match=sentence):
        Network(layers, SoftmaxCrossEntropy())
