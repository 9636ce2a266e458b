"""docs/backpropagation.md says what the code does: its numbers, its sessions, its names."""

import doctest
import re
import runpy
from pathlib import Path

import numpy as np
import pytest

from mlp.nn import MLP, SoftmaxCrossEntropy, activations, initializers, layers, losses, network
from mlp.nn.optimizers import SGD

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "backpropagation.md").read_text(encoding="utf-8")
CODE = {**vars(activations), **vars(initializers), **vars(losses), **vars(network), **vars(layers)}
CODE["SGD"] = SGD


def printed_matrices():
    """Return the arrays of the worked example, as printed: {"W_1": ndarray, ...}."""
    found = re.findall(r"(\S+) = \\begin\{bmatrix\}(.*?)\\end\{bmatrix\}", PAGE)
    return {
        name.removeprefix("\\"): np.array(
            [[float(number) for number in row.split("&")] for row in body.split(r"\\")]
        )
        for name, body in found
    }


def build(weight_init, hidden_sizes, n_in=3):
    """Return a ReLU network with two classes in float64."""
    model = MLP(hidden_sizes=hidden_sizes, weight_init=weight_init, dtype="float64")
    return model.build(n_in, 2, SoftmaxCrossEntropy(), np.random.default_rng(0))


def computed_matrices(printed):
    """Return all arrays of the worked example, as mlp.nn computes them from x, t, W and b."""
    net = build("he_normal", [2])
    for name, array in net.named_arrays():
        array[...] = printed[f"{name[0]}_{name[1]}"]
    x, t = printed["x"], printed["t"]
    ws, rng = net.workspace(len(x)), np.random.default_rng(0)
    hidden, relu, output = net.layers
    of_hidden, of_relu, of_output = ws.layers

    z1 = hidden.forward(x, of_hidden, rng).copy()  # relu will overwrite it
    a1 = relu.forward(of_hidden.z, of_relu, rng)
    z2 = output.forward(a1, of_output, rng)
    net.mean_loss(x, t.argmax(axis=1), ws, rng)
    delta2 = net.loss.backward(ws.loss)
    da1 = output.backward(delta2, of_output)
    arrays = {"z_1": z1, "a_1": a1, "z_2": z2, "a_2": ws.loss.a, "t": ws.loss.t, "x": x}
    arrays |= {"delta_2": delta2, "da_1": da1.copy(), "delta_1": relu.backward(da1, of_relu)}
    hidden.backward(arrays["delta_1"], of_hidden, input_gradient=False)
    for number, layer in enumerate((hidden, output), start=1):
        arrays |= {f"{name}_{number}": getattr(layer, name) for name in ("W", "b", "dW", "db")}
    return arrays


def test_the_worked_example_is_computed_by_the_network():
    """Each matrix printed is the network's, to the four decimals shown."""
    printed = printed_matrices()
    computed = computed_matrices(printed)
    assert printed.keys() == computed.keys()
    for name, array in printed.items():
        np.testing.assert_allclose(array, np.atleast_2d(computed[name]), atol=5e-5, err_msg=name)


def test_the_sessions_print_what_the_page_shows():
    """The Python sessions are run in order, one namespace for all, and their output compared."""
    source = "\n".join(re.findall(r"```pycon\n(.*?)```", PAGE, flags=re.DOTALL))
    session = doctest.DocTestParser().get_doctest(source, {}, "backpropagation.md", None, 0)
    report = []
    results = doctest.DocTestRunner().run(session, out=report.append)
    assert results.attempted > 20
    assert results.failed == 0, "".join(report)


@pytest.mark.parametrize("name", sorted(set(re.findall(r"`([A-Z]\w+\.\w+)`", PAGE))))
def test_the_functions_named_exist(name):
    """A formula stands beside the function that computes it."""
    owner, function = name.split(".")
    assert callable(getattr(CODE[owner], function))


def test_the_links_lead_somewhere():
    """Files are where the page looks for them, and headings bear the names it jumps to."""
    headings = re.findall(r"^#+ (.*)", PAGE, flags=re.MULTILINE)
    anchors = {re.sub(r"[^\w -]", "", h).lower().replace(" ", "-") for h in headings}
    for target in re.findall(r"\]\((.*?)\)", PAGE):
        assert target[1:] in anchors if target[0] == "#" else (DOCS / target).exists(), target


def test_a_network_of_zeros_learns_nothing_but_the_output_biases():
    """Section 9: with all weights zero, only b_2 has a gradient."""
    net = build("zeros", [4])
    x, y = np.random.default_rng(1).normal(size=(5, 3)), np.array([0, 1, 1, 1, 0])
    net.loss_and_gradients(x, y, net.workspace(5), np.random.default_rng(0))
    hidden, _, output = net.layers
    assert not any(gradient.any() for gradient in (hidden.dW, hidden.db, output.dW))
    assert output.db.all()


def test_twin_units_stay_twins():
    """Section 9: two hidden units that start alike are alike after any number of steps."""
    net = build("he_normal", [4])
    hidden, _, output = net.layers
    hidden.W[:, 1], output.W[1] = hidden.W[:, 0], output.W[0]
    before = hidden.W.copy()
    x, y = np.random.default_rng(1).normal(size=(5, 3)), np.array([0, 1, 1, 1, 0])
    ws, sgd = net.workspace(5), SGD()
    sgd.bind(net.params, net.grads, net.n_decayed)
    for _ in range(20):
        net.loss_and_gradients(x, y, ws, np.random.default_rng(0))
        sgd.step(0.5)
    np.testing.assert_allclose(hidden.W[:, 1], hidden.W[:, 0], rtol=1e-12)
    assert np.abs(hidden.W - before).max() > 0.1


@pytest.mark.e2e
def test_the_figures_can_be_drawn(tmp_path):
    """bench/figures.py draws every figure that the page shows."""
    runpy.run_path(str(DOCS.parent / "bench" / "figures.py"))["main"](tmp_path)
    drawn = {path.name for path in tmp_path.iterdir()}
    assert drawn == set(re.findall(r"img/(\w+\.svg)", PAGE))
