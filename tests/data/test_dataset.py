from dataclasses import replace

import numpy as np
import pytest

from mlp.data import Dataset, Part, Scaler

X = np.arange(12, dtype=np.uint8).reshape(6, 2)
Y = np.array([0, 1, 2, 0, 1, 2])
SCALER = Scaler(np.zeros(2, np.float32), np.ones(2, np.float32))


@pytest.fixture
def data():
    return Dataset("mine", X, Y, X[:2], Y[:2], ("a", "b", "c"), 11.0, None)


def test_sizes_come_from_the_arrays_and_class_names(data):
    assert (data.n_in, data.n_classes) == (2, 3)


def changed(array, index):
    array = array.copy()
    array[index] += 1
    return array


@pytest.mark.parametrize(
    "change",
    [
        {"x_train": changed(X, (5, 1))},
        {"x_test": changed(X[:2], (1, 0))},
        {"y_train": changed(Y, 5)},
        {"y_test": changed(Y[:2], 0)},
        {"x_train": X.astype(np.float32)},
        {"x_train": X.reshape(3, 4)},
        {"x_test": None, "y_test": None},
        {"classes": ("a", "b", "d")},
        {"x_max": 12.0},
        {"image_shape": (1, 2)},
    ],
)
def test_the_digest_depends_on_every_row_shape_type_and_name_of_a_class(data, change):
    assert replace(data, **change, digest="").digest != data.digest


def test_the_digest_depends_on_nothing_else(data):
    again = replace(data, name="other", x_train=np.asfortranarray(X), digest="")
    assert again.digest == data.digest


def test_a_part_is_some_rows_or_all_of_them():
    some = Part(X, Y, np.array([1, 2, 5]), SCALER)
    every = Part(X, Y, None, SCALER)
    assert (len(some), len(every)) == (3, 6)
    np.testing.assert_array_equal(some.labels, [1, 2, 2])
    np.testing.assert_array_equal(every.labels, Y)


def test_the_head_of_a_part_is_its_first_rows():
    some = Part(X, Y, np.array([1, 2, 5]), SCALER)
    every = Part(X, Y, None, SCALER)
    np.testing.assert_array_equal(some.head(2).labels, [1, 2])
    np.testing.assert_array_equal(every.head(2).labels, [0, 1])
    assert len(some.head(10)) == 3
