import importlib
import sys

import numpy as np
import pytest

from mlp.base import DataError
from mlp.data import Batches, Digits, Mnist5k


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"val_fraction": 0.0}, "^val_fraction must be between 0 and 1, got 0.0"),
        ({"val_fraction": 1.0}, "^val_fraction must be"),
        ({"val_fraction": float("nan")}, "^val_fraction must be"),
        ({"val_fraction": None}, "^val_fraction must be given unless val_size is"),
        ({"val_size": 0}, "^val_size must be at least 1, got 0"),
        ({"validation": "stratifed"}, "^validation must be one of .*did you mean 'stratified'"),
        ({"scale": "standardise"}, "^scale must be one of .*did you mean 'standardize'"),
    ],
)
def test_an_option_out_of_range_is_named(options, message):
    with pytest.raises(ValueError, match=message):
        Digits(**options)


def test_options_that_need_each_other():
    Digits(val_fraction=None, val_size=10)
    Digits(val_fraction=None, validation="none")


def test_the_parts_of_a_run():
    """The training rows are split by the run's seed; the test set is whole."""
    source = Mnist5k(val_fraction=0.1)
    data = source.load()
    parts, same, other = (source.parts(data, seed) for seed in (0, 0, 1))
    assert (len(parts.train), len(parts.val), len(parts.test)) == (3600, 400, 1000)
    np.testing.assert_array_equal(np.bincount(parts.val.labels), [40] * 10)
    np.testing.assert_array_equal(parts.val.rows, same.val.rows)
    assert not np.array_equal(parts.val.rows, other.val.rows)
    assert not set(parts.train.rows) & set(parts.val.rows)


def test_without_validation_all_training_rows_train():
    source = Digits(validation="none")
    parts = source.parts(source.load(), 0)
    assert parts.val is None
    assert len(parts.train) == 1437


def test_scaling_is_fitted_on_the_training_part_and_applied_to_all():
    source = Digits(scale="standardize")
    parts = source.parts(source.load(), 0)
    [(x, _)] = Batches(parts.train, len(parts.train), np.float64).in_order()
    np.testing.assert_allclose(x.mean(axis=0), 0, atol=1e-6)
    [(x, _)] = Batches(parts.val, len(parts.val), np.float64).in_order()
    assert np.abs(x.mean(axis=0)).max() > 0.01
    assert parts.val.scaler is parts.test.scaler is parts.scaler


def test_a_split_that_the_data_do_not_allow_names_the_key():
    source = Digits(val_size=1437)
    with pytest.raises(DataError, match=r"data\.val_size=1437 of 1437 training rows"):
        source.parts(source.load(), 0)


OWN = """
from dataclasses import dataclass
import numpy as np
from mlp.data import Dataset, Source
from own_constants import SCALE

@dataclass(frozen=True, kw_only=True)
class Ones(Source):
    name = "ones"

    def files(self):
        return []

    def decode(self, files):
        x = np.full((4, 2), VALUE * SCALE, np.float32)
        return Dataset("ones", x, np.array([0, 1, 0, 1]), None, None, ("a", "b"), None, None)
"""


def test_code_of_your_own_that_changes_is_not_hidden_by_the_cache(tmp_path, monkeypatch):
    """The module of a source's class, and those that it imports, are what its data come from."""
    monkeypatch.setattr("mlp.data.cache.data_dir", lambda: tmp_path / "data")
    monkeypatch.syspath_prepend(tmp_path)
    for value, scale in (1, 1), (22, 1), (22, 33):
        (tmp_path / "own_ones.py").write_text(OWN.replace("VALUE", str(value)))
        (tmp_path / "own_constants.py").write_text(f"SCALE = {scale}")
        for name in ("own_ones", "own_constants"):
            sys.modules.pop(name, None)
        importlib.invalidate_caches()
        source = importlib.import_module("own_ones").Ones()
        assert source.load().x_train[0, 0] == source.load().x_train[0, 0] == value * scale
    del sys.modules["own_ones"], sys.modules["own_constants"]
