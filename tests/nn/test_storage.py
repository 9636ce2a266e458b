"""A network stored as .npy files and JSON comes back as it was, or not at all."""

import json
from dataclasses import dataclass

import numpy as np
import pytest

from mlp.base import RunError
from mlp.nn import (
    MLP,
    ActivationFunction,
    BinaryCrossEntropy,
    Dense,
    Layer,
    MeanSquaredError,
    SoftmaxCrossEntropy,
    load,
    save,
)


class Square(ActivationFunction):
    """An activation of one's own."""

    reads = "z"

    def forward(self, z, out, scratch):
        np.square(z, out=out)

    def backward(self, z, a, delta, scratch):
        delta *= z
        delta *= 2


@dataclass(frozen=True)
class Linear(MLP):
    """A network of one's own."""

    bias: bool = True

    def layers(self, n_in: int, n_out: int) -> list[Layer]:
        return [Dense(n_in, n_out, bias=self.bias)]


class Halved(SoftmaxCrossEntropy):
    """A loss of one's own."""

    def forward(self, z, ws):
        return super().forward(z, ws) / 2


def stored(folder, model, loss=None, seed=0):
    """Build a network, give it arbitrary parameters and state, and save it."""
    rng = np.random.default_rng(seed)
    network = model.build(4, 3, loss or SoftmaxCrossEntropy(), rng)
    network.params[:] = rng.standard_normal(network.params.size)
    network.state[:] = rng.random(network.state.size)
    save(folder, model, network)
    return network


@pytest.mark.parametrize(
    ("model", "loss"),
    [
        (MLP([]), SoftmaxCrossEntropy()),
        (MLP((6, 5), ("tanh", "gelu"), dtype="float64"), BinaryCrossEntropy()),
        (MLP([6], batch_norm=True, dropout=0.5, l1=0.1, max_norm=3.0), SoftmaxCrossEntropy()),
        (MLP([6]), MeanSquaredError("tanh", low=-1, high=1)),
        (MLP([6], "maxout:3", output_init="zeros", input_scale=True), SoftmaxCrossEntropy()),
        (MLP([6], bias_lr_factor=0.1, fan_in_lr=True, scale_lr_factor=6), SoftmaxCrossEntropy()),
        (MLP([6]), SoftmaxCrossEntropy(label_smoothing=0.1, class_weights=[1, 2, 0.5])),
        (MLP([6], f"{__name__}.Square"), SoftmaxCrossEntropy()),
        (Linear(bias=False), Halved()),
    ],
)
def test_round_trip(tmp_path, model, loss):
    """Loss, parameters, state, dtype and outputs are the same to the last bit."""
    network = stored(tmp_path, model, loss)
    again = load(tmp_path)
    assert again.loss == network.loss
    assert list(map(str, again.layers)) == list(map(str, network.layers))
    assert again.lr_factors == network.lr_factors
    assert (again.l1, again.l2, again.dtype) == (network.l1, network.l2, network.dtype)
    np.testing.assert_array_equal(again.params, network.params)
    np.testing.assert_array_equal(again.state, network.state)
    x = np.random.default_rng(1).standard_normal((5, 4)).astype(network.dtype)
    z = network.forward(x, network.workspace(5))
    np.testing.assert_array_equal(again.forward(x, again.workspace(5)), z)


def test_files(tmp_path):
    """One file an array, readable with NumPy alone; and the description."""
    network = stored(tmp_path, MLP([6]))
    names = {"W1.npy", "b1.npy", "W2.npy", "b2.npy", "network.json"}
    assert {path.name for path in tmp_path.iterdir()} == names
    np.testing.assert_array_equal(np.load(tmp_path / "W2.npy"), dict(network.named_arrays())["W2"])


def test_loaded_arrays_are_in_memory(tmp_path):
    """What is loaded can be trained on, and the files do not change with it."""
    network = stored(tmp_path, MLP([6]))
    load(tmp_path).params[:] = 0
    np.testing.assert_array_equal(load(tmp_path).params, network.params)


class TestDamaged:
    """Whatever is wrong, the error names the file."""

    @pytest.fixture
    def folder(self, tmp_path):
        stored(tmp_path, MLP([6]))
        return tmp_path

    def refused(self, folder, message):
        with pytest.raises(RunError, match=message):
            load(folder)

    @pytest.mark.parametrize("value", [np.nan, np.inf])
    def test_a_weight_that_is_not_finite(self, folder, value):
        """Its predictions would be NaN."""
        weights = np.load(folder / "W2.npy")
        weights[3, 1] = value
        np.save(folder / "W2.npy", weights)
        self.refused(folder, "W2.npy holds a value that is not finite")

    def test_a_class_that_cannot_be_imported(self, folder):
        stored(folder, Linear())
        path = folder / "network.json"
        path.write_text(path.read_text().replace(f"{__name__}.Linear", "gone.Linear"))
        self.refused(folder, "'name' must name a class of the kind MLP, got 'gone.Linear'")

    def test_a_class_of_another_kind(self, folder):
        """It is not called."""
        path = folder / "network.json"
        path.write_text(path.read_text().replace('"MLP"', '"os.system"'))
        self.refused(folder, "'name' must name a class of the kind MLP, got 'os.system'")

    def test_no_description(self, folder):
        """Without network.json nothing is known."""
        (folder / "network.json").unlink()
        self.refused(folder, "network.json does not exist")

    @pytest.mark.parametrize(
        "content",
        [
            "",
            "[]",
            "{}",
            "null",
            "9",
        ],
    )
    def test_no_network_in_the_description(self, folder, content):
        """It is not JSON, or says something else."""
        (folder / "network.json").write_text(content)
        self.refused(folder, "network.json does not describe a network")

    @pytest.mark.parametrize(
        "entry",
        [
            {"model": {"depth": 3}},
            {"model": {"hidden_sizes": [0]}},
            {"loss": {"name": "Hinge"}},
            {"loss": {"name": "SoftmaxCrossEntropy", "output_activation": "tanh"}},
            {"n_in": "4"},
            {"n_in": -4},
        ],
        ids=str,
    )
    def test_bad_entry_in_the_description(self, folder, entry):
        """An entry is unknown, out of range or of the wrong type."""
        path = folder / "network.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | entry))
        self.refused(folder, "network.json does not describe a network")

    def test_missing_array(self, folder):
        """Every array is needed."""
        (folder / "b2.npy").unlink()
        self.refused(folder, "b2.npy does not exist")

    @pytest.mark.parametrize("n_bytes", [0, 5, 100, 200])
    def test_truncated_array(self, folder, n_bytes):
        """The file ends in the magic, the header or the data."""
        path = folder / "W1.npy"
        path.write_bytes(path.read_bytes()[:n_bytes])
        self.refused(folder, "W1.npy is not a readable .npy file")

    def test_misshaped_array(self, folder):
        """Found and needed shape are told."""
        np.save(folder / "W1.npy", np.zeros((6, 4), "float32"))
        self.refused(
            folder, r"W1.npy holds float32 of shape \(6, 4\), .* float32 of shape \(4, 6\)"
        )

    def test_other_dtype(self, folder):
        """A float64 array in a float32 network is not silently rounded."""
        np.save(folder / "b1.npy", np.zeros(6))
        self.refused(folder, "b1.npy holds float64")

    def test_pickled_array(self, folder):
        """Objects are never unpickled."""
        np.save(folder / "W1.npy", np.array([[{}]], dtype=object), allow_pickle=True)
        self.refused(folder, "W1.npy is not a readable .npy file")

    def test_archive_in_place_of_an_array(self, folder):
        """An .npz under the name of an .npy."""
        np.savez(folder / "W1.npz", W1=np.zeros((4, 6), "float32"))
        (folder / "W1.npz").rename(folder / "W1.npy")
        self.refused(folder, "W1.npy is not a readable .npy file")

    def test_header_of_a_huge_array(self, folder):
        """A header that promises more than the file holds costs no memory."""
        header = {"descr": "<f4", "fortran_order": False, "shape": (10**6, 10**6)}
        with (folder / "W1.npy").open("wb") as file:
            np.lib.format.write_array_header_1_0(file, header)
        self.refused(folder, "W1.npy is not a readable .npy file")


def test_description_is_json(tmp_path):
    """network.json states the model, the loss and the sizes."""
    stored(tmp_path, MLP([6], "tanh"), MeanSquaredError("tanh", low=-1, high=1))
    spec = json.loads((tmp_path / "network.json").read_text())
    assert (spec["n_in"], spec["n_out"]) == (4, 3)
    assert spec["model"]["hidden_sizes"] == [6]
    assert spec["loss"] == {
        "name": "MeanSquaredError",
        "output_activation": "tanh",
        "low": -1,
        "high": 1,
        "class_weights": None,
    }
