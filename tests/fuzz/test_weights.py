"""Whatever is in the files of stored weights, only RunError comes out, and it names the file."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlp.base import RunError
from mlp.data import Scaler, fit_scaler
from mlp.nn import MLP, SoftmaxCrossEntropy, load, save
from tests.fuzz.damage import NASTY, altered, damaged, fuzz, only


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    """The folder of a small network and its scaling."""
    model = MLP(hidden_sizes=[3])
    save(tmp_path, model, model.build(4, 2, SoftmaxCrossEntropy(), np.random.default_rng(0)))
    fit_scaler("unit", np.eye(4, dtype=np.float32)).save(tmp_path)
    return tmp_path


def read(folder: Path) -> None:
    load(folder)
    Scaler.load(folder)


@fuzz
@given(data=st.data())
def test_bytes_of_any_file(weights: Path, data: st.DataObject):
    file = data.draw(st.sampled_from(sorted(weights.iterdir())))
    sound = file.read_bytes()
    file.write_bytes(data.draw(damaged(sound)))
    only(RunError, lambda: read(weights))
    file.write_bytes(sound)


@fuzz
@given(data=st.data())
def test_description(weights: Path, data: st.DataObject):
    file = weights / "network.json"
    sound = file.read_text()
    file.write_text(json.dumps(data.draw(altered(json.loads(sound)))))
    only(RunError, lambda: read(weights))
    file.write_text(sound)


@pytest.mark.parametrize("name", ["W1.npy", "b2.npy", "shift.npy"])
@pytest.mark.parametrize("content", NASTY.values(), ids=NASTY)
def test_nasty_array(weights: Path, name: str, content: bytes):
    (weights / name).write_bytes(content)
    with pytest.raises(RunError, match=f"{name}|network.json describes"):
        read(weights)


@pytest.mark.parametrize("hidden_sizes", [[10**12], [10**5, 10**5], [10] * 10**4])
def test_a_network_that_the_files_cannot_hold(weights: Path, hidden_sizes: list[int]):
    """It is refused before memory is taken for it."""
    spec = json.loads((weights / "network.json").read_text())
    spec["model"]["hidden_sizes"] = hidden_sizes
    (weights / "network.json").write_text(json.dumps(spec))
    with pytest.raises(RunError, match=r"network\.json describes arrays of [\d,]+ bytes"):
        load(weights)
