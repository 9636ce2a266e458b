import io
import tracemalloc
import zipfile
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlp.base import DataError
from mlp.data import Npz

X = np.arange(12, dtype=np.float64).reshape(6, 2)
Y = np.array([0, 1, 0, 1, 0, 1])


@pytest.fixture
def load(tmp_path):
    """Save arrays to a file of the user's and load it."""

    def load(**arrays):
        path = tmp_path / "mine.npz"
        np.savez(path, **arrays)
        return Npz(path=str(path)).load()

    return load


def test_floats_become_float32_and_the_test_arrays_are_optional(load):
    data = load(x_train=X, y_train=Y)
    assert data.x_train.dtype == np.float32
    np.testing.assert_array_equal(data.x_train, X)
    assert (data.x_test, data.y_test, data.x_max, data.image_shape) == (None, None, None, None)
    data = load(x_train=X, y_train=Y, x_test=X[:2], y_test=Y[:2])
    np.testing.assert_array_equal(data.x_test, X[:2])


def test_images_are_flattened_and_bytes_stay_bytes(load):
    images = np.arange(6 * 4 * 5, dtype=np.uint8).reshape(6, 4, 5)
    data = load(x_train=np.asfortranarray(images), y_train=Y)
    assert (data.x_train.shape, data.x_train.dtype) == ((6, 20), np.uint8)
    assert (data.image_shape, data.x_max) == ((4, 5), 255.0)
    np.testing.assert_array_equal(data.x_train, images.reshape(6, 20))


@pytest.mark.parametrize(
    ("labels", "classes", "indices"),
    [
        ([10, 9, -3, 9, 10, 9], ("-3", "9", "10"), [2, 1, 0, 1, 2, 1]),
        (np.array([3, 1, 3, 2, 1, 1], object), ("1", "2", "3"), [2, 0, 2, 1, 0, 0]),
        (np.array(["b", "a", "b", "é", "a", "a"], object), ("a", "b", "é"), [1, 0, 1, 2, 0, 0]),
        (["b", "a", "b", "é", "a", "a"], ("a", "b", "é"), [1, 0, 1, 2, 0, 0]),
        ([b"no", b"yes", b"no", b"no", b"no", b"no"], ("no", "yes"), [0, 1, 0, 0, 0, 0]),
    ],
    ids=["integers in numeric order", "pickled integers", "pickled", "strings", "byte strings"],
)
def test_any_integers_or_strings_are_class_labels(load, labels, classes, indices):
    labels = np.array(labels)
    data = load(x_train=X, y_train=labels, x_test=X[:2], y_test=labels[:2])
    assert data.classes == classes
    np.testing.assert_array_equal(data.y_train, indices)
    np.testing.assert_array_equal(data.y_test, indices[:2])


def with_value(value, dtype=np.float64):
    x = X.astype(dtype)
    x[4, 1] = value
    return x


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"x_train": X}, "holds no array y_train"),
        ({"y_train": Y}, "holds no array x_train"),
        ({"x_train": X, "y_train": Y, "x_test": X}, "holds no array y_test"),
        ({"x_train": X[:5], "y_train": Y}, r"x_train has shape \(5, 2\) and y_train \(6,\)"),
        ({"x_train": X[:, 0], "y_train": Y}, r"x_train has shape \(6,\)"),
        ({"x_train": X, "y_train": Y[:, None]}, r"y_train has shape \(6, 1\)"),
        ({"x_train": X, "y_train": Y[:, None, None]}, r"y_train \(6, 1, 1\)"),
        ({"X": X}, "holds no array y; it should hold X and y"),
        ({"x_train": X[:0], "y_train": Y[:0]}, "at least one row"),
        ({"x_train": X[:, :0], "y_train": Y}, "one feature"),
        ({"x_train": with_value(np.nan), "y_train": Y}, "x_train .* not finite .* row 4"),
        ({"x_train": with_value(-np.inf), "y_train": Y}, "x_train .* not finite .* row 4"),
        ({"x_train": with_value(1e300), "y_train": Y}, "not finite in float32"),
        ({"x_train": X, "y_train": Y, "x_test": with_value(np.nan), "y_test": Y}, "x_test .*row 4"),
        ({"x_train": X, "y_train": Y, "x_test": X[:, :1], "y_test": Y}, "rows of x_test"),
        ({"x_train": X, "y_train": Y, "x_test": X, "y_test": Y + 1}, "y_test holds the label 2"),
        ({"x_train": X, "y_train": Y, "x_test": X, "y_test": Y.astype(str)}, "the label 0,"),
        ({"x_train": X, "y_train": Y * 0}, "one class only"),
        ({"x_train": X, "y_train": Y / 2}, "y_train is of type float64; labels should be"),
        ({"x_train": X, "y_train": Y.astype(np.uint64)}, "y_train is of type uint64"),
        ({"x_train": X, "y_train": np.array([b"\xff"] * 6)}, "y_train holds bytes"),
        ({"x_train": X.astype(str), "y_train": Y}, "x_train is of type"),
        ({"x_train": X * 1j, "y_train": Y}, "x_train is of type complex128"),
        ({"x_train": X.astype(object), "y_train": Y}, "x_train is an array of Python objects"),
        ({"x_train": X, "y_train": np.array([1, None] * 3)}, "y_train .* objects .*NoneType"),
        ({"x_train": X, "y_train": np.array([1.5, 2] * 3, object)}, "y_train .* objects .*float"),
        ({"x_train": X, "y_train": np.array([print] * 6)}, "objects .it names builtins.print"),
    ],
)
def test_refuses_unfit_arrays_naming_file_and_array(load, tmp_path, arrays, message):
    with pytest.raises(DataError, match=message) as caught:
        load(**arrays)
    assert str(tmp_path / "mine.npz") in str(caught.value)


def npz_bytes(**members):
    """A zip archive of raw members; an array stands for its .npy bytes."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(f"{name}.npy", npy_bytes(content))
    return file.getvalue()


def npy_bytes(content):
    if isinstance(content, bytes):
        return content
    file = io.BytesIO()
    np.save(file, content)
    return file.getvalue()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "not a readable .npz file"),
        (b"x_train, y_train", "not a readable .npz file"),
        (npy_bytes(X), "not a readable .npz file"),
        (npz_bytes(x_train=X, y_train=Y)[:-100], "not a readable .npz file"),
        (npz_bytes(x_train=b"", y_train=Y), "not a readable .npz file"),
        (npz_bytes(x_train=npy_bytes(X)[:-8], y_train=Y), "x_train declares the shape"),
        (npz_bytes(x_train=npy_bytes(X) + b"tail", y_train=Y), "x_train declares the shape"),
    ],
)
def test_refuses_what_is_no_sound_archive(tmp_path, content, message):
    path = tmp_path / "mine.npz"
    path.write_bytes(content)
    with pytest.raises(DataError, match=message) as caught:
        Npz(path=str(path)).load()
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("shape", [(9_999_999_999, 2), (-6, -2), (0, 2**63)])
def test_takes_no_memory_for_what_a_header_only_declares(tmp_path, shape):
    file = io.BytesIO()
    header = {"descr": "<f8", "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(file, header)
    path = tmp_path / "mine.npz"
    path.write_bytes(npz_bytes(x_train=file.getvalue() + X.tobytes(), y_train=Y))
    tracemalloc.start()
    try:
        with pytest.raises(DataError, match="x_train declares the shape"):
            Npz(path=str(path)).load()
        assert tracemalloc.get_traced_memory()[1] < 1e6
    finally:
        tracemalloc.stop()


@given(position=st.integers(0, 1000), value=st.integers(0, 255))
def test_one_changed_byte_raises_nothing_but_a_data_error(tmp_path_factory, position, value):
    content = bytearray(npz_bytes(x_train=X, y_train=Y))
    content[position % len(content)] = value
    path = tmp_path_factory.getbasetemp() / "fuzz.npz"
    path.write_bytes(content)
    source = Npz(path=str(path))
    with suppress(DataError):
        source.decode(source.files())


@given(st.binary(max_size=80))
def test_no_header_raises_anything_but_a_data_error(tmp_path_factory, content):
    path = tmp_path_factory.getbasetemp() / "fuzz-header.npz"
    for start in (b"", b"\x93NUMPY\x01\x00", b"\x93NUMPY\x02\x00", b"\x93NUMPY\x01\x00\x20\x00{"):
        path.write_bytes(npz_bytes(x_train=start + content, y_train=Y))
        source = Npz(path=str(path))
        with pytest.raises(DataError):
            source.decode(source.files())


@pytest.mark.parametrize("path", ["none.npz", ".", "a\0b", "x" * 10_000])
def test_a_path_without_a_file_is_named(path):
    with pytest.raises(DataError, match=r"data\.path: there is no file"):
        Npz(path=path).load()


def test_one_pair_of_arrays_is_split(load, tmp_path):
    """A tenth is tested on, the same for every seed of a run."""
    x, y = np.arange(200.0).reshape(100, 2), np.arange(100) % 2
    data = load(X=x, y=y)
    np.testing.assert_array_equal(data.x_train, x)
    source = Npz(path=str(tmp_path / "mine.npz"), test_fraction=0.1)
    tests = [source.parts(data, seed).test.rows for seed in (0, 1)]
    assert len(tests[0]) == 10
    np.testing.assert_array_equal(*tests)
    assert source.load().digest == data.digest


@pytest.mark.parametrize(("y", "names"), [(Y / 3, ("y",)), (np.stack([Y, Y], 1), ("y1", "y2"))])
def test_numbers_to_predict(tmp_path, y, names):
    np.savez(tmp_path / "mine.npz", x_train=X, y_train=y, x_test=X, y_test=y)
    data = Npz(path=str(tmp_path / "mine.npz")).load("numbers")
    assert (data.targets, data.classes, data.y_train.dtype) == (names, (), np.float64)
    np.testing.assert_array_equal(data.y_test, y.reshape(6, -1))


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"X": X, "y": Y.astype(str)}, "y is of type <U21; numbers"),
        ({"X": X, "y": np.where(Y, np.nan, 1.0)}, "y holds values that are not finite, in 3 rows"),
        (
            {"x_train": X, "y_train": Y, "x_test": X, "y_test": np.stack([Y, Y], 1)},
            "y_test has not the 1 targets of y_train",
        ),
    ],
)
def test_unfit_numbers_are_refused(tmp_path, arrays, message):
    np.savez(tmp_path / "mine.npz", **arrays)
    with pytest.raises(DataError, match=message):
        Npz(path=str(tmp_path / "mine.npz")).load("numbers")
