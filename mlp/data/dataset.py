"""What a data set is once it is in memory, and the parts of it that a run uses."""

import hashlib
import json
from dataclasses import astuple, dataclass, replace
from typing import Any, Literal

import numpy as np

from mlp.data.columns import Column
from mlp.data.deskew import DeskewingScaler
from mlp.data.preprocessing import TablePreprocessing
from mlp.data.scaling import Scaler
from mlp.data.target_scaling import TargetScaler

LabelType = Literal["str", "int", "float", "bool"]
LABEL_TYPES: dict[str, LabelType] = {"b": "bool", "i": "int", "u": "int", "f": "float"}  # by dtype

ARRAYS = ("x_train", "y_train", "x_test", "y_test")


@dataclass(frozen=True)
class Dataset:
    """Examples and their targets, as decoded: neither scaled nor split.

    The arrays may be read-only memory maps of the cache, shared with other processes.

    Attributes
    ----------
    name : str
        As in the configuration, ``"mnist"``; of the user's own file, that of the file.
    x_train : ndarray of shape (n_train, n_in), uint8 or float32
        Or float64 when it is a table, see `Column.encode`.
    y_train : ndarray of shape (n_train,), int64, or (n_train, n_targets), float64
        Indices into ``classes``, or numbers to predict.
    x_test, y_test : ndarray or None
        The test set, in the same form; None when the source has none.
    classes : tuple of str
        The class names, in the order of the network's outputs; none when numbers are predicted.
    x_max : float or None
        The largest value a feature can take (255 for a byte image), None when unknown.
    image_shape : tuple of int or None
        (height, width) when a row is an image.
    columns : tuple of Column, optional
        Of a table.
    targets : tuple of str
        Names of the numbers to predict; none when there are classes.
    label_type : {"str", "int", "float", "bool"}
        What the labels were before they became ``classes``.
    digest : str
        SHA-256 in hex over all of the above but the name and the labels' type: two data sets with
        the same digest are the same data. Computed from the arrays unless it is given.
    """

    name: str
    x_train: np.ndarray
    y_train: np.ndarray
    x_test: np.ndarray | None
    y_test: np.ndarray | None
    classes: tuple[str, ...]
    x_max: float | None
    image_shape: tuple[int, ...] | None
    columns: tuple[Column, ...] | None = None
    targets: tuple[str, ...] = ()
    label_type: LabelType = "str"
    digest: str = ""

    def __post_init__(self) -> None:
        if not self.digest:
            object.__setattr__(self, "digest", self._compute_digest())

    @property
    def n_in(self) -> int:
        """Number of features of a row."""
        return int(self.x_train.shape[1])

    @property
    def n_classes(self) -> int:
        """Number of classes, seen in the training rows or not."""
        return len(self.classes)

    @property
    def arrays(self) -> dict[str, np.ndarray]:
        """The arrays there are, by field name."""
        named = {name: getattr(self, name) for name in ARRAYS}
        return {name: array for name, array in named.items() if array is not None}

    def _compute_digest(self) -> str:
        forms = {name: (array.dtype.str, array.shape) for name, array in self.arrays.items()}
        facts: list[Any] = [forms, self.classes, self.x_max, self.image_shape]
        if self.columns is not None or self.targets:
            facts += [[astuple(column) for column in self.columns or ()], self.targets]
        sha256 = hashlib.sha256(json.dumps(facts).encode())
        for array in self.arrays.values():
            sha256.update(np.ascontiguousarray(array).data)
        return sha256.hexdigest()


def as_inputs(
    x: np.ndarray, scaler: Scaler | TablePreprocessing
) -> tuple[np.ndarray, Scaler | None]:
    """Return ``x`` and ``scaler`` of a `Part`.

    A table is transformed once, not batch by batch, and so are images to be deskewed.
    """
    if isinstance(scaler, Scaler) and not isinstance(scaler, DeskewingScaler):
        return x, scaler
    return scaler.transform(x, np.empty((len(x), scaler.n_in), np.float32)), None


@dataclass(frozen=True)
class Part:
    """The rows of a data set that one use sees, and the scaling to apply to them.

    Attributes
    ----------
    x : ndarray of shape (n, n_in), uint8 or float32
        With rows of other parts too: nothing is copied. Unscaled, unless ``scaler`` is None.
    y : ndarray of shape (n,), int64, or (n, n_targets), float
        Class indices, or numbers.
    rows : ndarray of shape (len(part),), int64, or None
        Which rows of ``x`` and ``y`` belong to the part; None means all.
    scaler : Scaler or None
        None when the rows are the network's inputs already.
    target_scaler : TargetScaler or None
        What has been applied to numbers in ``y``.
    """

    x: np.ndarray
    y: np.ndarray
    rows: np.ndarray | None
    scaler: Scaler | None
    target_scaler: TargetScaler | None = None

    def __len__(self) -> int:
        return len(self.y) if self.rows is None else len(self.rows)

    @property
    def labels(self) -> np.ndarray:
        """The rows of ``y`` that belong to the part."""
        return self.y if self.rows is None else self.y[self.rows]

    def head(self, n: int) -> "Part":
        """Return the part's first ``n`` rows, or all when it has fewer."""
        if self.rows is None:
            return replace(self, x=self.x[:n], y=self.y[:n])
        return replace(self, rows=self.rows[:n])

    def spread(self, n: int) -> "Part":
        """Return ``n`` rows, evenly chosen from first to last, or all when it has fewer."""
        rows = np.arange(len(self)) if self.rows is None else self.rows
        chosen = np.linspace(0, len(rows) - 1, min(n, len(rows))).astype(int)
        return replace(self, rows=rows[chosen])


@dataclass(frozen=True)
class Parts:
    """A data set split for a run; what makes inputs of raw rows was fitted on ``train`` alone."""

    train: Part
    val: Part | None
    test: Part | None
    scaler: Scaler | TablePreprocessing

    @property
    def n_in(self) -> int:
        """Number of the network's inputs."""
        return self.scaler.n_in
