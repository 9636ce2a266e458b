"""Data sets from tables: some columns are to be predicted from the others."""

import logging
import os
from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mlp.base import DataError
from mlp.data.columns import Column, Kind
from mlp.data.dataset import Dataset
from mlp.data.inference import (
    check_classes,
    check_counts_rows,
    describe_column,
    encode_columns,
    find_classes,
    label_type,
    read_classes,
    read_numbers,
)
from mlp.data.preprocessing import TablePreprocessing, fit_preprocessing
from mlp.data.scaling import ScaleKind, Scaler
from mlp.data.source import Source, Targets, name_of_file
from mlp.data.table_files import NAMELESS, Table, read_table

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class TableSource(Source):
    """A table, some columns of which are to be predicted from the others.

    Columns of numbers are numeric, of true and false boolean, all others categorical. Values may be
    missing, but not in the targets. A column without a name that counts the rows, as pandas writes
    its index, is left out: where rows are sorted, it gives the target away.

    Parameters
    ----------
    drop : str or sequence of str
        Columns to leave out.
    categorical, numeric : str or sequence of str
        Columns that are to be taken so, whatever they look like.
    missing_indicators, unknown_column : bool
        See `fit_preprocessing`.
    """

    scale: ScaleKind = "standardize"
    test_fraction: float | None = 0.2
    drop: str | Sequence[str] = ()
    categorical: str | Sequence[str] = ()
    numeric: str | Sequence[str] = ()
    missing_indicators: bool = False
    unknown_column: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        for field in ("drop", "categorical", "numeric"):
            object.__setattr__(self, field, _names(getattr(self, field)))  # hashable
        if both := set(self.categorical) & set(self.numeric):
            raise ValueError(f"numeric must not name what categorical does, got {min(both)!r}")

    @abstractmethod
    def tables(self, files: Sequence[Path]) -> list[Table]:
        """Read the table and, if there is one, a second one to test on."""

    @abstractmethod
    def target_columns(self, table: Table) -> Sequence[str]:
        """Return the names of the columns to predict."""

    def decode(self, files: Sequence[Path]) -> Dataset:
        """Read the files; the distinct values of the target column are the classes."""
        return self._dataset(self.tables(files), "classes")

    def decode_numbers(self, files: Sequence[Path]) -> Dataset:
        """Read the files; the target columns are numbers."""
        return self._dataset(self.tables(files), "numbers")

    def load_as(self, columns: Sequence[Column], targets: Targets = "classes") -> Dataset:
        """Return the tables, encoded for a network trained on such columns."""
        return self._dataset(self.tables(self.files()), targets, columns)

    def fit(self, dataset: Dataset, rows: np.ndarray) -> Scaler | TablePreprocessing:
        """Return the preprocessing, fitted on some of the rows."""
        options = self.scale, self.missing_indicators, self.unknown_column
        return fit_preprocessing(dataset.columns or (), dataset.x_train, rows, *options)

    def _dataset(
        self, tables: list[Table], targets: Targets, columns: Sequence[Column] | None = None
    ) -> Dataset:
        names = list(self.target_columns(tables[0]))
        if targets == "numbers":
            classes: tuple[str, ...] = ()
            y = [read_numbers(table, names) for table in tables]
        else:
            if len(names) != 1:
                raise DataError(
                    f"{tables[0].place}: classes are the values of one column, and the targets are "
                    f"{', '.join(names)}"
                )
            classes = find_classes(tables[0], names[0])
            if columns is None:
                check_classes(tables[0], names[0], classes)
            y = [read_classes(table, names[0], classes) for table in tables]
        if columns is None:
            columns = self._columns(tables[0], names)
        x = [encode_columns(table, columns) for table in tables]
        return Dataset(
            name=self.name,
            x_train=x[0],
            y_train=y[0],
            x_test=x[1] if len(x) > 1 else None,
            y_test=y[1] if len(y) > 1 else None,
            classes=classes,
            x_max=None,
            image_shape=None,
            columns=tuple(columns),
            targets=tuple(names) if targets == "numbers" else (),
            label_type=label_type(tables[0], names[0], classes) if classes else "str",
        )

    def _columns(self, table: Table, targets: Sequence[str]) -> list[Column]:
        """Return the columns to predict from."""
        for key in ("drop", "categorical", "numeric"):
            for name in getattr(self, key):
                table.values(name, f"data.{key}")
        given = {*targets, *self.drop, *self.categorical, *self.numeric}
        nameless = {n for n in table.frame if n.startswith(NAMELESS) and n not in given}
        for name in nameless:
            check_counts_rows(table, name)
            logger.warning("%s: column %r only counts the rows and is left out", table.place, name)
        out = {*targets, *self.drop, *nameless}
        names = [n for n in table.frame.columns if n not in out]
        if not names:
            raise DataError(f"{table.place} has no column to predict {', '.join(targets)} from")
        kinds: dict[str, Kind] = dict.fromkeys(self.numeric, "numeric")
        kinds |= dict.fromkeys(self.categorical, "categorical")
        return [describe_column(table, name, kinds.get(name)) for name in names]


@dataclass(frozen=True, kw_only=True)
class Csv(TableSource):
    """A table of the user's: a .csv, .tsv or .parquet file.

    Parameters
    ----------
    path : str
        Of the file; its first line names the columns, unless it is Parquet.
    target : str or sequence of str
        The column to predict; for regression there can be several.
    test_path : str, optional
        Of a second table with the same columns, to test on.
    """

    path: str
    target: str | Sequence[str]
    test_path: str | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        names = _names(self.target)
        object.__setattr__(self, "target", names)
        if not names or len(set(names)) < len(names):
            raise ValueError(f"target must name columns, each once, got {list(names)}")

    @property
    def name(self) -> str:  # type: ignore[override]
        """That of the file."""
        return name_of_file(self.path)

    def files(self) -> Sequence[Path]:
        """Return the paths of the files, if they exist."""
        paths = {"path": self.path} | ({"test_path": self.test_path} if self.test_path else {})
        for key, path in paths.items():
            if not os.path.isfile(os.path.expanduser(path)):  # False for names with NUL, too
                raise DataError(
                    f"data.{key}: there is no file {path}; it should be .csv, .tsv or .parquet"
                )
        return [Path(path).expanduser() for path in paths.values()]

    def tables(self, files: Sequence[Path]) -> list[Table]:
        """Read the files."""
        return [read_table(path) for path in files]

    def target_columns(self, table: Table) -> Sequence[str]:
        """Return ``target``."""
        return self.target


def _names(value: str | Sequence[str]) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value)
