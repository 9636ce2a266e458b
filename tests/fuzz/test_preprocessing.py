"""Whatever is in the files of a stored preprocessing, only RunError comes out."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlp.base import RunError
from mlp.data import Column, load_preprocessing
from mlp.data.preprocessing import fit_preprocessing
from tests.fuzz.damage import NASTY, altered, damaged, fuzz, only

COLUMNS = [Column("a", "numeric"), Column("b", "categorical", ("x", "y", "z"))]
X = np.array([[1, 0], [np.nan, 2], [3, np.nan], [4, 1]])


@pytest.fixture
def stored(tmp_path: Path) -> Path:
    fit_preprocessing(COLUMNS, X, np.arange(4), "robust", True, True).save(tmp_path)
    return tmp_path


def read(folder: Path) -> None:
    """What can be read can be applied."""
    preprocessing = load_preprocessing(folder)
    x = np.ones((2, preprocessing.n_raw))
    with np.errstate(all="ignore"):
        preprocessing.transform(x, np.empty((2, preprocessing.n_in), np.float32))


@fuzz
@given(data=st.data())
def test_bytes_of_any_file(stored: Path, data: st.DataObject):
    file = data.draw(st.sampled_from(sorted(stored.iterdir())))
    sound = file.read_bytes()
    file.write_bytes(data.draw(damaged(sound)))
    only(RunError, lambda: read(stored))
    file.write_bytes(sound)


@fuzz
@given(data=st.data())
def test_description(stored: Path, data: st.DataObject):
    file = stored / "preprocessing.json"
    sound = file.read_text()
    file.write_text(json.dumps(data.draw(altered(json.loads(sound)))))
    only(RunError, lambda: read(stored))
    file.write_text(sound)


@pytest.mark.parametrize("name", ["medians.npy", "flagged.npy", "shift.npy", "factor.npy"])
@pytest.mark.parametrize("content", NASTY.values(), ids=NASTY)
def test_nasty_array(stored: Path, name: str, content: bytes):
    (stored / name).write_bytes(content)
    with pytest.raises(RunError, match=name):
        read(stored)
