"""What every data source has in common: its options, the cache, the split and the scaling."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import ClassVar, Literal, get_args

import numpy as np

from mlp.base import DataError, at_least, between, closest, generator
from mlp.data.cache import cached, code_of
from mlp.data.columns import Column
from mlp.data.dataset import Dataset, Part, Parts, as_inputs
from mlp.data.deskew import Deskewer, DeskewingScaler
from mlp.data.preprocessing import TablePreprocessing, fit_preprocessing
from mlp.data.scaling import ScaleKind, Scaler, fit_scaler
from mlp.data.split import Validation, fold_rows, split_rows

Targets = Literal["classes", "numbers"]


@dataclass(frozen=True, kw_only=True)
class Source(ABC):
    """Where data come from, and how they are split and scaled.

    A source of your own names itself, lists its ``files`` and turns them into a Dataset in
    ``decode``.

    Parameters
    ----------
    val_fraction : float or None
        Share of the training rows to validate on, between 0 and 1.
    val_size : int, optional
        Number of rows to validate on; comes before ``val_fraction``.
    validation : {"stratified", "ordered", "none"}
        How validation rows are chosen, see `split_rows`.
    scale : {"unit", "standardize", "robust", "none"}
        How inputs are scaled, see `fit_scaler` and, for tables and ``"robust"``,
        `fit_preprocessing`.
    test_fraction : float, optional
        Share of the rows to test on, when the data come without a test set.
    test_seed : int
        Of that share: not the run's, so that all runs are tested on the same rows.
    folds : int, optional
        Cross-validate: the training rows fall into so many parts, of which one is the test set
        instead of any other; of the rest, validation rows are chosen as ever.
    fold : int
        Which part, from 0.
    split_seed : int, optional
        Of the folds and the validation rows; by default the run's.

    Raises
    ------
    ValueError
        When an option is out of range; the message begins with its name.
    """

    val_fraction: float | None = 0.1
    val_size: int | None = None
    validation: Validation = "stratified"
    scale: ScaleKind = "unit"
    test_fraction: float | None = None
    test_seed: int = 0
    folds: int | None = None
    fold: int = 0
    split_seed: int | None = None

    name: ClassVar[str] = "own"
    part_of: ClassVar[str | None] = None  # a larger source whose training rows hold all of it

    def __post_init__(self) -> None:
        _require_one_of("validation", self.validation, get_args(Validation))
        _require_one_of("scale", self.scale, get_args(ScaleKind))
        if self.val_fraction is not None:
            between(0, 1, val_fraction=self.val_fraction)
        if self.val_size is not None:
            at_least(1, val_size=self.val_size)
        if self.validation != "none" and self.val_fraction is None and self.val_size is None:
            raise ValueError("val_fraction must be given unless val_size is or validation is none")
        if self.test_fraction is not None:
            between(0, 1, test_fraction=self.test_fraction)
        at_least(0, test_seed=self.test_seed, split_seed=self.split_seed or 0)
        if self.folds is not None:
            at_least(2, folds=self.folds)
        if not 0 <= self.fold < (self.folds or 1):
            what = f"below folds={self.folds}" if self.folds else "0 unless folds is given"
            raise ValueError(f"fold must be at least 0 and {what}, got {self.fold}")

    @abstractmethod
    def files(self) -> Sequence[Path]:
        """Return the files that hold the data, fetched first if need be; DataError if absent."""

    @abstractmethod
    def decode(self, files: Sequence[Path]) -> Dataset:
        """Read the files, with classes as targets; DataError names the one that is wrong."""

    def decode_numbers(self, files: Sequence[Path]) -> Dataset:
        """Read the files, with numbers as targets; DataError when there are none."""
        raise DataError(
            f"{self.name} has classes as targets and no numbers: set task=classification"
        )

    def load(self, targets: Targets = "classes") -> Dataset:
        """Return the data set, memory-mapped from the cache where there is one.

        Parameters
        ----------
        targets : {"classes", "numbers"}

        Raises
        ------
        DataError
            When a file is absent, damaged or not what it claims to be, or does not hold such
            targets.
        """
        files = self.files()
        options = {f.name: getattr(self, f.name) for f in fields(self) if f.name not in SPLITTING}
        decode = self.decode
        if targets == "numbers":
            options["targets"], decode = targets, self.decode_numbers
        code = code_of(type(self))
        if not code:  # typed into a notebook, where it may change at any time
            return decode(files)
        return cached(self.name, [*files, *code], repr(options), lambda: decode(files))

    def load_as(self, columns: Sequence[Column], targets: Targets = "classes") -> Dataset:
        """Return the data set for a network that was trained on such columns of a table.

        Parameters
        ----------
        columns : sequence of Column
        targets : {"classes", "numbers"}

        Raises
        ------
        DataError
            As `load`, or when the data do not have these columns.
        """
        if any(column.kind != "numeric" for column in columns):
            raise DataError(f"{self.name} is no table, and this network was trained on one")
        return self.load(targets)

    def parts(self, dataset: Dataset, seed: int) -> Parts:
        """Split the rows, and fit the scaling on those that train.

        Parameters
        ----------
        dataset : Dataset
            What `load` returned; arrays that need no preprocessing as a table are shared, not
            copied.
        seed : int
            The run's seed: the same seed gives the same split.

        Raises
        ------
        DataError
            When the split cannot be made with this many rows.
        """
        rows, held_out = np.arange(len(dataset.y_train)), self.held_out(dataset, seed)
        if held_out is not None:
            rows = np.delete(rows, held_out)
        x, y, rng = dataset.x_train, dataset.y_train, generator(self._split_seed(seed), "split")
        train, val = split_rows(y[rows], self.validation, self.val_fraction, self.val_size, rng)
        scaler = self.fit(dataset, rows[train])
        inputs, batch_scaler = as_inputs(x, scaler)
        return Parts(
            train=Part(inputs, y, rows[train], batch_scaler),
            val=None if val is None else Part(inputs, y, rows[val], batch_scaler),
            test=self.test_part(dataset, seed, scaler),
            scaler=scaler,
        )

    def test_part(
        self, dataset: Dataset, seed: int, scaler: Scaler | TablePreprocessing
    ) -> Part | None:
        """Return the test set of a run, or None.

        Parameters
        ----------
        dataset : Dataset
        seed : int
            The run's.
        scaler : Scaler or TablePreprocessing
            What has been fitted in that run.
        """
        x, y, held_out = dataset.x_train, dataset.y_train, self.held_out(dataset, seed)
        if held_out is None:
            if dataset.x_test is None or dataset.y_test is None:
                return None
            x, y = dataset.x_test, dataset.y_test
        inputs, batch_scaler = as_inputs(x, scaler)
        return Part(inputs, y, held_out, batch_scaler)

    def held_out(self, dataset: Dataset, seed: int) -> np.ndarray | None:
        """Return the rows of ``x_train`` that are tested on: a fold, a fraction, or None."""
        if self.folds is not None:
            rng = generator(self._split_seed(seed), "folds")
            return fold_rows(dataset.y_train, self.folds, self.fold, rng)
        if dataset.x_test is None and self.test_fraction is not None:
            rng = generator(self.test_seed, "test")
            y, share = dataset.y_train, self.test_fraction
            return split_rows(y, "stratified", share, None, rng, part="test")[1]
        return None

    def fit(self, dataset: Dataset, rows: np.ndarray) -> Scaler | TablePreprocessing:
        """Return what makes inputs of raw rows, fitted on some of the training rows."""
        if dataset.columns is None and self.scale != "robust":
            return fit_scaler(self.scale, dataset.x_train, rows, dataset.x_max)
        names = [f"x{i}" for i in range(1, dataset.n_in + 1)]
        columns = dataset.columns or [Column(name, "numeric") for name in names]
        return fit_preprocessing(columns, dataset.x_train, rows, self.scale)

    def _split_seed(self, seed: int) -> int:
        return seed if self.split_seed is None else self.split_seed


def _require_one_of(field: str, value: str, choices: tuple[str, ...]) -> None:
    if value not in choices:
        hint = closest(str(value), choices)
        raise ValueError(f"{field} must be one of {', '.join(choices)}; got {value!r}{hint}")


def name_of_file(path: str) -> str:
    """Return what to call the data of a file: its name without the ending, if need be cut short."""
    return "".join(c if c.isprintable() else "_" for c in Path(path).stem)[:100]


@dataclass(frozen=True, kw_only=True)
class ImageSource(Source):
    """A source whose rows are images.

    Parameters
    ----------
    deskew : bool
        Shear each image upright before it is scaled, see `Deskewer`.
    """

    deskew: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.deskew and self.scale == "robust":
            raise ValueError("deskew goes with scale unit, standardize or none, not with robust")

    def fit(self, dataset: Dataset, rows: np.ndarray) -> Scaler | TablePreprocessing:
        """Return what makes inputs of images, fitted on some of the training rows."""
        if not self.deskew or dataset.image_shape is None:
            return super().fit(dataset, rows)
        height, width = dataset.image_shape
        change = Deskewer(height, width)
        scaler = fit_scaler(self.scale, dataset.x_train, rows, dataset.x_max, change)
        return DeskewingScaler(scaler.shift, scaler.factor, (height, width))


# options that decoding does not depend on
SPLITTING = {f.name for f in fields(ImageSource)}
