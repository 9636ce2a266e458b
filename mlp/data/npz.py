"""The user's own arrays, from an .npz file."""

import os
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.lib import format as npy

from mlp.base import DataError, counted
from mlp.data.dataset import ARRAYS, LABEL_TYPES, Dataset, LabelType
from mlp.data.pickled_labels import read_labels
from mlp.data.source import Source, name_of_file

DEFLATE_LIMIT = 1032  # no deflated byte stands for more bytes than that (zlib's documentation)


@dataclass(frozen=True, kw_only=True)
class Npz(Source):
    """Arrays from an .npz file: ``x_train``, ``y_train`` and, if wished, ``x_test``, ``y_test``.

    Or ``X`` and ``y``, of which ``test_fraction`` is tested on. The features are numbers of shape
    (n, ...), flattened to a row each; when a row is two-dimensional it is taken for an image. The
    labels are whole numbers, strings or booleans of shape (n,); the distinct ones in ``y_train``,
    sorted, are the classes. Numbers to predict are of shape (n,) or (n, n_targets).

    Parameters
    ----------
    path : str
        Of the file, as written by ``numpy.savez``. Of pickled arrays, only labels are read.
    """

    path: str

    @property
    def name(self) -> str:  # type: ignore[override]
        """That of the file."""
        return name_of_file(self.path)

    def files(self) -> Sequence[Path]:
        """Return the file's path, if it exists."""
        path = Path(self.path).expanduser()
        if not os.path.isfile(path):  # unlike Path.is_file, False for names too long or with NUL
            raise DataError(f"data.path: there is no file {path}; it should be an .npz file")
        return [path]

    def decode(self, files: Sequence[Path]) -> Dataset:
        """Read and check the arrays; the labels are those of classes."""
        train, *test = self._read(files)
        labels = _labels(train)
        classes, indices = np.unique(labels, return_inverse=True)
        if len(classes) < 2:
            raise DataError(
                f"{train.path}: {train.y_name} holds one class only ({classes[0]}); two are needed"
            )
        label_type = LABEL_TYPES.get(train.y.dtype.kind, "str")
        y = [indices.astype(np.int64), *(_class_indices(part, classes) for part in test)]
        return self._dataset([train, *test], y, tuple(map(str, classes)), (), label_type)

    def decode_numbers(self, files: Sequence[Path]) -> Dataset:
        """Read and check the arrays; the targets are numbers."""
        pairs = self._read(files)
        y = [_numbers(pair) for pair in pairs]
        n_targets = y[0].shape[1]
        if any(numbers.shape[1] != n_targets for numbers in y):
            raise DataError(f"{pairs[0].path}: y_test has not the {n_targets} targets of y_train")
        names = ["y"] if n_targets == 1 else [f"y{i}" for i in range(1, n_targets + 1)]
        return self._dataset(pairs, y, (), tuple(names))

    def _read(self, files: Sequence[Path]) -> list["Pair"]:
        """Return the arrays to train on and, if there are any, those to test on."""
        [path] = files
        arrays = read_arrays(path)
        if "X" in arrays or "y" in arrays:
            return [_pair(arrays, "X", "y", path)]
        pairs = [_pair(arrays, "x_train", "y_train", path)]
        if "x_test" in arrays or "y_test" in arrays:
            pairs.append(_pair(arrays, "x_test", "y_test", path))
            (train, test) = (pair.x.shape[1:] for pair in pairs)
            if train != test:
                raise DataError(
                    f"{path}: the rows of x_test have shape {test}, those of x_train {train}"
                )
        return pairs

    def _dataset(
        self,
        pairs: Sequence["Pair"],
        y: Sequence[np.ndarray],
        classes: tuple[str, ...],
        targets: tuple[str, ...],
        label_type: LabelType = "str",
    ) -> Dataset:
        row_shape = pairs[0].x.shape[1:]
        is_image = len(row_shape) == 2
        x = [_features(pair) for pair in pairs]
        return Dataset(
            name=self.name,
            x_train=x[0],
            y_train=y[0],
            x_test=x[1] if len(x) > 1 else None,
            y_test=y[1] if len(y) > 1 else None,
            classes=classes,
            x_max=255.0 if is_image and x[0].dtype == np.uint8 else None,
            image_shape=row_shape if is_image else None,
            targets=targets,
            label_type=label_type,
        )


class Pair(NamedTuple):
    """Features and their targets, as they were read."""

    x: np.ndarray
    y: np.ndarray
    x_name: str
    y_name: str
    path: Path


def read_arrays(path: Path) -> dict[str, np.ndarray]:
    """Return the arrays of a file that have a name known here; DataError when it is damaged."""
    try:
        with zipfile.ZipFile(path) as archive:
            members = {info.filename: info for info in archive.infolist()}
            return {
                name: _read_array(archive, members[f"{name}.npy"], path)
                for name in (*ARRAYS, "X", "y")
                if f"{name}.npy" in members
            }
    except DataError:
        raise
    except Exception as error:  # zipfile, zlib and numpy each have several ways to say it
        raise DataError(f"{path} is not a readable .npz file ({error})") from error


def _read_array(archive: zipfile.ZipFile, member: zipfile.ZipInfo, path: Path) -> np.ndarray:
    """Read an array once its header agrees with the bytes there are: no more memory is taken."""
    where = f"{path}: {member.filename.removesuffix('.npy')}"
    with archive.open(member) as file:
        version = npy.read_magic(file)
        read_header = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
        shape, _, dtype = read_header(file)
        n_header = file.tell()
    if dtype.hasobject:
        return _read_objects(archive, member, n_header, path)
    n_declared = n_header + prod(shape) * dtype.itemsize
    n_possible = DEFLATE_LIMIT * path.stat().st_size
    is_sound = min(shape, default=0) >= 0 and dtype.itemsize > 0
    if not (is_sound and n_declared == member.file_size <= n_possible):
        raise DataError(f"{where} declares the shape {shape}, which the file cannot hold")
    with archive.open(member) as file:
        return npy.read_array(file, allow_pickle=False)


def _read_objects(
    archive: zipfile.ZipFile, member: zipfile.ZipInfo, n_header: int, path: Path
) -> np.ndarray:
    """Read labels from an array of Python objects."""
    if member.file_size > DEFLATE_LIMIT * path.stat().st_size:
        raise DataError(f"{path}: {member.filename} declares more than the file can hold")
    try:
        return read_labels(archive.read(member)[n_header:])
    except ValueError as error:
        name = member.filename.removesuffix(".npy")
        raise DataError(
            f"{path}: {name} is an array of Python objects ({error}); save it as numbers or strings"
        ) from None


def _pair(arrays: dict[str, np.ndarray], x_name: str, y_name: str, path: Path) -> Pair:
    """Return two arrays with as many rows, at least one."""
    for name in (x_name, y_name):
        if name not in arrays:
            raise DataError(f"{path} holds no array {name}; it should hold {x_name} and {y_name}")
    x, y = arrays[x_name], arrays[y_name]
    if x.ndim < 2 or y.ndim not in (1, 2) or len(x) != len(y) or x.size == 0 or y.size == 0:
        raise DataError(
            f"{path}: {x_name} has shape {x.shape} and {y_name} {y.shape}; "
            "they should be (n, features) and (n,), with at least one row and one feature"
        )
    return Pair(x, y, x_name, y_name, path)


def _features(pair: Pair) -> np.ndarray:
    """Return a matrix of uint8 as it is, of any other numbers as float32."""
    x, where = pair.x, f"{pair.path}: {pair.x_name}"
    if x.dtype.kind not in "buif":
        raise DataError(f"{where} is of type {x.dtype}; features should be real numbers")
    x = x.reshape(len(x), -1)
    if x.dtype == np.uint8:
        return np.ascontiguousarray(x)
    with np.errstate(over="ignore"):  # what float32 cannot hold becomes infinite, and is refused
        x = np.ascontiguousarray(x, np.float32)
    _check_finite(x, f"{where} holds values that are not finite in float32")
    return x


def _numbers(pair: Pair) -> np.ndarray:
    """Return numbers to predict, of shape (n, n_targets), float64."""
    y, where = pair.y, f"{pair.path}: {pair.y_name}"
    if y.dtype.kind not in "buif":
        raise DataError(f"{where} is of type {y.dtype}; numbers to predict should be real")
    y = y.reshape(len(y), -1).astype(np.float64)
    _check_finite(y, f"{where} holds values that are not finite")
    return y


def _check_finite(values: np.ndarray, what: str) -> None:
    bad_rows = np.flatnonzero(~np.isfinite(values).all(axis=1))
    if len(bad_rows):
        raise DataError(
            f"{what}, in {counted(len(bad_rows), 'row')}, the first of them row {bad_rows[0]} "
            "(counted from 0)"
        )


def _labels(pair: Pair) -> np.ndarray:
    """Return the labels as int64 or str."""
    y, where = pair.y, f"{pair.path}: {pair.y_name}"
    if y.ndim != 1:
        raise DataError(f"{where} has shape {y.shape}; labels should be of shape (n,)")
    if y.dtype.kind in "SUb":
        try:
            return y.astype(np.str_)
        except UnicodeDecodeError as error:
            raise DataError(f"{where} holds bytes that are not ASCII ({error})") from error
    if y.dtype.kind in "iu" and np.can_cast(y.dtype, np.int64):
        return y.astype(np.int64)
    if y.dtype.kind == "f" and (np.abs(y) < 2**53).all() and (y == np.rint(y)).all():
        return y.astype(np.int64)
    raise DataError(
        f"{where} is of type {y.dtype}; labels should be whole numbers (up to int64), strings "
        "or booleans; task=regression predicts other numbers"
    )


def _class_indices(pair: Pair, classes: np.ndarray) -> np.ndarray:
    """Return where each test label stands in ``classes``."""
    y = _labels(pair)
    unknown = y[~np.isin(y, classes)] if y.dtype.kind == classes.dtype.kind else y
    if len(unknown):
        raise DataError(
            f"{pair.path}: y_test holds the label {unknown[0]!s}, which y_train does not; "
            f"known are {', '.join(map(str, classes[:10]))}{', ...' if len(classes) > 10 else ''}"
        )
    return np.searchsorted(classes, y).astype(np.int64)
