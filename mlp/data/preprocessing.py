"""From the columns of a table to the inputs of a network, fitted on the rows that train."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, get_args

import numpy as np

from mlp.base import DataError, RunError, read_json
from mlp.data import deskew
from mlp.data.columns import Column, Kind, encode_table, option
from mlp.data.deskew import DeskewingScaler
from mlp.data.scaling import ScaleKind, Scaler, load_vector

FILE = "preprocessing.json"
CHUNK_VALUES = 1 << 20  # transformed at a time
VALUE_BYTES = 24  # at most, of an input while the scale is fitted: float64, its copy, float32


@dataclass(frozen=True)
class TablePreprocessing:
    """The map from raw columns to inputs: gaps filled, categories one-hot, all of it scaled.

    The inputs of a column stand together, in the order of the columns. A numeric column is one
    input, its gaps filled with the median. A category is 1 in its own input and 0 in the others; of
    two categories, as of a boolean, there is one input of -1 or 1. A gap or an unknown category is
    0 in all of them. An input that does not vary in the training rows is 0, whatever comes later:
    its weights have learnt nothing.

    Attributes
    ----------
    columns : tuple of Column
    scale : {"unit", "standardize", "robust", "none"}
        See `fit_preprocessing`.
    medians : ndarray of shape (n_columns,), float64
        What fills the gaps of numeric columns.
    flagged : ndarray of shape (n_columns,), bool
        Which columns have one input more, 1 where the value is a gap or an unknown category.
    shift, factor : ndarray of shape (n_in,), float64
    """

    columns: tuple[Column, ...]
    scale: ScaleKind
    medians: np.ndarray
    flagged: np.ndarray
    shift: np.ndarray
    factor: np.ndarray

    @property
    def n_in(self) -> int:
        """Number of the network's inputs."""
        return len(self.shift)

    @property
    def n_raw(self) -> int:
        """Number of columns of a raw row."""
        return len(self.columns)

    def raw(self, x: Any) -> np.ndarray:
        """Return a table, or a matrix that stands for one, as `transform` takes it.

        Parameters
        ----------
        x : DataFrame, mapping of str to sequence, or array_like of shape (n, n_columns)
            A matrix cannot hold categories.

        Raises
        ------
        ValueError
            When a column is missing, or a value is not what the column holds.
        """
        if hasattr(x, "keys"):
            return encode_table(self.columns, x)
        names = ", ".join(column.name for column in self.columns)
        if text := [column.name for column in self.columns if column.kind == "categorical"]:
            raise ValueError(
                f"inputs must be a table with the columns {names} by name: {text[0]} is categorical"
            )
        try:
            matrix = np.asarray(x, np.float64)
        except (TypeError, ValueError):
            raise ValueError(f"inputs must be a table with the columns {names} by name") from None
        if matrix.ndim != 2 or matrix.shape[1] != self.n_raw:
            raise ValueError(f"inputs must be of shape (n, {self.n_raw}), got {matrix.shape}")
        if np.isinf(matrix).any():
            raise ValueError("inputs must be finite numbers, or NaN for a gap")
        return matrix

    def unknown(self, x: np.ndarray) -> dict[str, int]:
        """Return in how many rows of `raw` a column has an unknown category, of those that do."""
        return {
            column.name: n
            for column, values in zip(self.columns, x.T, strict=True)
            if column.kind == "categorical" and (n := int(np.sum(values >= len(column.categories))))
        }

    def transform(self, x: np.ndarray, out: np.ndarray) -> np.ndarray:
        """Write the network's inputs into ``out`` and return it.

        Parameters
        ----------
        x : ndarray of shape (n, n_columns)
            As `raw` returns it.
        out : ndarray of shape (n, n_in), float32 or float64
            Its values are rounded to float32 in either case.
        """
        step = max(1, CHUNK_VALUES // self.n_in)
        for start in range(0, len(x), step):
            inputs = _expand(self.columns, x[start : start + step], self.medians, self.flagged)
            inputs -= self.shift
            inputs *= self.factor
            if self.scale == "robust":
                inputs /= np.sqrt(1 + np.square(inputs / 3))
            with np.errstate(over="ignore"):  # is refused where data are read
                out[start : start + step] = inputs.astype(np.float32)
        return out

    def save(self, folder: Path) -> None:
        """Write ``preprocessing.json`` and four .npy files into an existing folder."""
        described = {"scale": self.scale, "columns": [asdict(column) for column in self.columns]}
        text = json.dumps(described, indent=2, ensure_ascii=False)
        (folder / FILE).write_text(f"{text}\n", encoding="utf-8")
        for name in ("medians", "flagged", "shift", "factor"):
            np.save(folder / f"{name}.npy", getattr(self, name))

    @classmethod
    def load(cls, folder: Path) -> "TablePreprocessing":
        """Read what ``save`` wrote; RunError names the file that is absent or damaged."""
        path = folder / FILE
        try:
            described = read_json(path)
            columns = tuple(
                Column(str(c["name"]), c["kind"], tuple(map(str, c["categories"])))
                for c in described["columns"]
            )
            scale = described["scale"]
            if scale not in get_args(ScaleKind):
                raise ValueError(f"scale is {scale!r}")
            if any(c.kind not in get_args(Kind) for c in columns):
                raise ValueError("a column is of no known kind")
        except (OSError, KeyError, TypeError, ValueError) as error:
            raise RunError(f"{path} does not describe a table's columns: {error}") from None
        names = {"medians": "<f8", "flagged": "|b1", "shift": "<f8", "factor": "<f8"}
        arrays = {name: load_vector(folder / f"{name}.npy", dtype) for name, dtype in names.items()}
        sizes = dict.fromkeys(names, len(columns))
        if len(arrays["flagged"]) == len(columns):
            sizes["shift"] = sizes["factor"] = len(_is_numeric(columns, arrays["flagged"]))
        for name, size in sizes.items():
            if len(arrays[name]) != size:
                raise RunError(
                    f"{folder / name}.npy holds {len(arrays[name])} values; {FILE} needs {size}"
                )
        return cls(columns, scale, **arrays)


def load_preprocessing(folder: Path) -> Scaler | TablePreprocessing:
    """Read what maps raw inputs to a stored network's; RunError names a file that is wrong."""
    if (folder / FILE).exists():
        return TablePreprocessing.load(folder)
    kind = DeskewingScaler if (folder / deskew.FILE).exists() else Scaler
    return kind.load(folder)


def fit_preprocessing(
    columns: Sequence[Column],
    x: np.ndarray,
    rows: np.ndarray,
    scale: ScaleKind,
    missing_indicators: bool = False,
    unknown_column: bool = False,
) -> TablePreprocessing:
    """Fit the preprocessing of a table to some of its rows.

    Parameters
    ----------
    columns : sequence of Column
    x : ndarray of shape (n, n_columns)
        As `Column.encode` makes it.
    rows : ndarray of int64
        The training rows; no other is looked at.
    scale : {"unit", "standardize", "robust", "none"}
        ``"unit"`` divides a numeric column by its largest magnitude, ``"standardize"`` gives it
        mean 0 and standard deviation 1; both leave one-hot inputs as they are. ``"robust"`` maps
        every input to (x - median) / IQR, then x / √(1 + (x/3)²); where the interquartile range is
        0, half the range stands for it (Holzmüller, Grinsztajn, Steinwart 2024, "Better by
        default", RealMLP).
    missing_indicators : bool
        Give numeric and boolean columns that have gaps in these rows one input more, 1 at a gap.
    unknown_column : bool
        Give categorical columns one input more, 1 at a gap or an unknown category.

    Raises
    ------
    DataError
        When so many inputs for so many rows would take more memory than there is.
    """
    columns, train = tuple(columns), np.asarray(x[rows], np.float64)
    has_gaps = np.isnan(train).any(axis=0)
    is_categorical = np.array([column.kind == "categorical" for column in columns])
    flagged = np.where(is_categorical, unknown_column, missing_indicators & has_gaps)
    medians = np.zeros(len(columns))
    for i, column in enumerate(columns):
        known = train[~np.isnan(train[:, i]), i]
        if column.kind == "numeric" and len(known):
            medians[i] = np.median(known)
    _check_memory(columns, len(_is_numeric(columns, flagged)), len(x))
    inputs = _expand(columns, train, medians, flagged)
    shift, spread = _shift_and_spread(scale, inputs)
    if scale != "robust":
        as_it_is = ~_is_numeric(columns, flagged)
        shift[as_it_is], spread[as_it_is] = 0, 1
    varies = (inputs != inputs[0]).any(axis=0) & (spread >= np.finfo(np.float64).tiny)
    spread[~varies] = np.inf
    return TablePreprocessing(columns, scale, medians, flagged, shift, 1 / spread)


def _check_memory(columns: Sequence[Column], n_in: int, n_rows: int) -> None:
    import psutil

    needed, available = n_in * n_rows * VALUE_BYTES, psutil.virtual_memory().available
    if needed > available:
        largest = max(columns, key=lambda column: len(column.categories))
        raise DataError(
            f"{n_in:,} inputs of {n_rows:,} rows take about {needed / 1e9:,.1f} GB, and "
            f"{available / 1e9:,.1f} GB are available; column {largest.name} has "
            f"{len(largest.categories):,} categories: {option('drop', largest.name)} leaves it out"
        )


def _expand(
    columns: Sequence[Column], raw: np.ndarray, medians: np.ndarray, flagged: np.ndarray
) -> np.ndarray:
    """Return the inputs before they are scaled, of shape (n, n_in), float64."""
    inputs: list[np.ndarray] = []
    for column, values, median, flag in zip(columns, raw.T, medians, flagged, strict=True):
        n = len(column.categories) if column.kind == "categorical" else 2
        unknown = np.isnan(values)
        if column.kind == "numeric":
            inputs.append(np.where(unknown, median, values)[:, None])
        else:
            unknown |= values >= n
            one_hot = values[:, None] == np.arange(n)
            inputs.append(np.where(unknown, 0, 2 * values - 1)[:, None] if n == 2 else one_hot)
        if flag:
            inputs.append(unknown[:, None])
    return np.hstack(inputs, dtype=np.float64)


def _is_numeric(columns: Sequence[Column], flagged: np.ndarray) -> np.ndarray:
    """Tell of each input whether it is the value of a numeric column."""
    answers: list[bool] = []
    for column, flag in zip(columns, flagged, strict=True):
        n = len(column.categories) if column.kind == "categorical" else 2
        answers += [column.kind == "numeric"] * (1 if n == 2 else n) + [False] * int(flag)
    return np.array(answers)


def _shift_and_spread(scale: ScaleKind, inputs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return what each input is reduced by, and then divided by."""
    n_in = inputs.shape[1]
    if scale == "unit":
        return np.zeros(n_in), np.abs(inputs).max(axis=0)
    if scale == "standardize":
        return inputs.mean(axis=0), inputs.std(axis=0)
    if scale == "robust":
        low, median, high = np.quantile(inputs, [0.25, 0.5, 0.75], axis=0)
        half_range = np.ptp(inputs, axis=0) / 2
        return median, np.where(high > low, high - low, half_range)
    return np.zeros(n_in), np.ones(n_in)
