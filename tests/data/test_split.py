import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlp.base import DataError
from mlp.data import split_rows


def split(y, validation="stratified", val_fraction=None, val_size=None, seed=0):
    rng = np.random.default_rng(seed)
    return split_rows(np.asarray(y), validation, val_fraction, val_size, rng)


@given(st.lists(st.integers(20, 80), min_size=1, max_size=6), st.floats(0.05, 0.5))
def test_stratified_parts_hold_each_class_in_proportion(class_sizes, val_fraction):
    """Every row once; the total exact, each class within one row of its exact share."""
    y = np.random.default_rng(1).permutation(np.repeat(np.arange(len(class_sizes)), class_sizes))
    train, val = split(y, val_fraction=val_fraction)
    np.testing.assert_array_equal(np.sort(np.concatenate([train, val])), np.arange(len(y)))
    assert len(val) == round(val_fraction * len(y))
    exact = np.array(class_sizes) * len(val) / len(y)
    assert np.all(np.abs(np.bincount(y[val], minlength=len(class_sizes)) - exact) < 1)


def test_the_largest_remainders_get_the_rows_left_over():
    """10 of 26: shares 6.54, 2.69, 0.77 are rounded down to 8 and the last two get one more."""
    y = np.repeat([0, 1, 2], [17, 7, 2])
    _, val = split(y, val_size=10)
    np.testing.assert_array_equal(np.bincount(y[val]), [6, 3, 1])


def test_a_split_belongs_to_its_seed():
    y = np.arange(200) % 4
    first, again, other = (split(y, val_size=40, seed=seed)[1] for seed in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert set(first) != set(other)


def test_rows_are_in_ascending_order():
    for rows in split(np.arange(200) % 4, val_size=40):
        assert np.all(np.diff(rows) > 0)


def test_val_size_comes_before_val_fraction():
    _, val = split(np.arange(100) % 2, val_fraction=0.5, val_size=10)
    assert len(val) == 10


def test_ordered_takes_the_last_rows():
    train, val = split(np.arange(10) % 2, "ordered", val_size=3)
    np.testing.assert_array_equal(train, np.arange(7))
    np.testing.assert_array_equal(val, [7, 8, 9])


def test_none_leaves_all_rows_to_training():
    train, val = split(np.arange(10) % 2, "none", val_fraction=0.1)
    assert len(train) == 10
    assert val is None


@pytest.mark.parametrize("validation", ["stratified", "ordered"])
@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"val_size": 10}, "data.val_size=10 of 10 training rows"),
        ({"val_size": 11}, "data.val_size=11 of 10 training rows"),
        ({"val_fraction": 0.01}, "data.val_fraction=0.01 of 10 training rows makes 0 rows"),
        ({"val_fraction": 0.99}, "data.val_fraction=0.99 of 10 training rows makes 10 rows"),
    ],
)
def test_a_part_without_rows_is_refused_naming_the_key(validation, asked, message):
    with pytest.raises(DataError, match=message):
        split(np.arange(10) % 2, validation, **asked)


def test_a_class_must_keep_a_row_to_train_on():
    """A class of one row stays in training, or the split says that it cannot be made."""
    rare = np.array([0] * 50 + [1])
    train, _ = split(rare, val_size=10)
    assert 50 in train
    with pytest.raises(DataError, match=r"val_size=9 leaves .* of 5 classes without a row"):
        split(np.repeat(np.arange(5), 2), val_size=9)


def test_a_class_index_without_rows_is_no_hindrance():
    _, val = split(np.array([0, 2] * 10), val_size=4)
    assert len(val) == 4
