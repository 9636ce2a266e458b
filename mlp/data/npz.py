"""The user's own arrays, from an .npz file."""

import os
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from pathlib import Path

import numpy as np
from numpy.lib import format as npy

from mlp.base import DataError
from mlp.data.dataset import ARRAYS, Dataset
from mlp.data.source import Source

DEFLATE_LIMIT = 1032  # no deflated byte stands for more bytes than that (zlib's documentation)


@dataclass(frozen=True, kw_only=True)
class Npz(Source):
    """Arrays from an .npz file: ``x_train``, ``y_train`` and, if wished, ``x_test``, ``y_test``.

    The features are numbers of shape (n, ...), flattened to a row each; when a row is
    two-dimensional it is taken for an image. The labels are integers or strings of shape (n,);
    the distinct ones in ``y_train``, sorted, are the classes.

    Parameters
    ----------
    path : str
        Of the file, as written by ``numpy.savez``. Pickled arrays are refused.
    """

    name = "npz"

    path: str

    def files(self) -> Sequence[Path]:
        """Return the file's path, if it exists."""
        path = Path(self.path).expanduser()
        if not os.path.isfile(path):  # unlike Path.is_file, False for names too long or with NUL
            raise DataError(f"data.path: there is no file {path}; it should be an .npz file")
        return [path]

    def decode(self, files: Sequence[Path]) -> Dataset:
        """Read and check the arrays."""
        [path] = files
        arrays = _read_arrays(path)
        x_train, y_train = _pair(arrays, "train", path)
        row_shape = x_train.shape[1:]
        x_train = _features(x_train, "x_train", path)
        classes, indices = np.unique(y_train, return_inverse=True)
        if len(classes) < 2:
            raise DataError(f"{path}: y_train holds one class only ({classes[0]}); two are needed")

        x_test = y_test = None
        if "x_test" in arrays or "y_test" in arrays:
            x_test, y_test = _pair(arrays, "test", path)
            if x_test.shape[1:] != row_shape:
                raise DataError(
                    f"{path}: the rows of x_test have shape {x_test.shape[1:]}, "
                    f"those of x_train {row_shape}"
                )
            x_test = _features(x_test, "x_test", path)
            y_test = _class_indices(y_test, classes, path)
        is_image = len(row_shape) == 2
        return Dataset(
            name=self.name,
            x_train=x_train,
            y_train=indices.astype(np.int64),
            x_test=x_test,
            y_test=y_test,
            classes=tuple(map(str, classes)),
            x_max=255.0 if is_image and x_train.dtype == np.uint8 else None,
            image_shape=row_shape if is_image else None,
        )


def _read_arrays(path: Path) -> dict[str, np.ndarray]:
    try:
        with zipfile.ZipFile(path) as archive:
            members = {info.filename: info for info in archive.infolist()}
            return {
                name: _read_array(archive, members[f"{name}.npy"], path)
                for name in ARRAYS
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
        raise DataError(f"{where} is an array of Python objects; save it as numbers or strings")
    n_declared = n_header + prod(shape) * dtype.itemsize
    n_possible = DEFLATE_LIMIT * path.stat().st_size
    is_sound = min(shape, default=0) >= 0 and dtype.itemsize > 0
    if not (is_sound and n_declared == member.file_size <= n_possible):
        raise DataError(f"{where} declares the shape {shape}, which the file cannot hold")
    with archive.open(member) as file:
        return npy.read_array(file, allow_pickle=False)


def _pair(arrays: dict[str, np.ndarray], part: str, path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Return x and y of a part, as many rows in each, at least one."""
    x_name, y_name = f"x_{part}", f"y_{part}"
    for name in (x_name, y_name):
        if name not in arrays:
            raise DataError(f"{path} holds no array {name}; it should hold x_{part} and y_{part}")
    x, y = arrays[x_name], arrays[y_name]
    if x.ndim < 2 or y.ndim != 1 or len(x) != len(y) or x.size == 0:
        raise DataError(
            f"{path}: {x_name} has shape {x.shape} and {y_name} {y.shape}; "
            "they should be (n, features) and (n,), with at least one row and one feature"
        )
    return x, _labels(y, y_name, path)


def _features(x: np.ndarray, name: str, path: Path) -> np.ndarray:
    """Return a matrix of uint8 as it is, of any other numbers as float32."""
    if x.dtype.kind not in "buif":
        raise DataError(f"{path}: {name} is of type {x.dtype}; features should be real numbers")
    x = x.reshape(len(x), -1)
    if x.dtype == np.uint8:
        return np.ascontiguousarray(x)
    with np.errstate(over="ignore"):  # what float32 cannot hold becomes infinite, and is refused
        x = np.ascontiguousarray(x, np.float32)
    bad_rows = np.flatnonzero(~np.isfinite(x).all(axis=1))
    if len(bad_rows):
        raise DataError(
            f"{path}: {name} holds values that are not finite in float32, "
            f"in {len(bad_rows)} rows, the first of them row {bad_rows[0]} (counted from 0)"
        )
    return x


def _labels(y: np.ndarray, name: str, path: Path) -> np.ndarray:
    """Return the labels as int64 or str."""
    if y.dtype.kind in "SU":
        try:
            return y.astype(np.str_)
        except UnicodeDecodeError as error:
            raise DataError(f"{path}: {name} holds bytes that are not ASCII ({error})") from error
    if y.dtype.kind in "iu" and np.can_cast(y.dtype, np.int64):
        return y.astype(np.int64)
    raise DataError(
        f"{path}: {name} is of type {y.dtype}; labels should be integers (up to int64) or strings"
    )


def _class_indices(y: np.ndarray, classes: np.ndarray, path: Path) -> np.ndarray:
    """Return where each test label stands in ``classes``."""
    unknown = y[~np.isin(y, classes)] if y.dtype.kind == classes.dtype.kind else y
    if len(unknown):
        raise DataError(
            f"{path}: y_test holds the label {unknown[0]!s}, which y_train does not; "
            f"known are {', '.join(map(str, classes[:10]))}{', ...' if len(classes) > 10 else ''}"
        )
    return np.searchsorted(classes, y).astype(np.int64)
