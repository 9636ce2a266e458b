"""Tables in files: .csv, .tsv and .parquet."""

import csv
import io
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from mlp.base import DataError, closest, in_one_line
from mlp.data.columns import CellError

if TYPE_CHECKING:
    import pandas as pd

ENDINGS = (".csv", ".tsv", ".parquet")  # text of other endings is read, too
NAMELESS = "Unnamed: "  # as pandas names a column without a name, by its place from 0
MISSING = ["?", "<null>"]  # besides those of pandas: nothing, NA, NaN, null, None, ...


@dataclass(frozen=True)
class Table:
    """A table as it was read.

    Attributes
    ----------
    place : str
        The file's path, for messages.
    frame : DataFrame
        Text that was read from a file is left as text.
    row_numbers : ndarray of shape (n,), int64
        Where each row stands in the file, counted from 1.
    untyped : bool
        Whether numbers are texts, too: a text file does not tell them apart.
    """

    place: str
    frame: "pd.DataFrame"
    row_numbers: np.ndarray
    untyped: bool = False

    def values(self, column: str, key: str) -> "pd.Series":
        """Return a column; DataError when ``key`` of the configuration names one that is not."""
        if column not in self.frame:
            names = list(map(str, self.frame.columns))
            hint = closest(column, names) or f"; there are {', '.join(names[:20])}"
            raise DataError(f"{key}: {self.place} has no column {column!r}{hint}")
        return self.frame[column]

    def bad_cell(self, error: CellError) -> DataError:
        """Return the sentence about a value that its column cannot hold."""
        row = self.row_numbers[error.position]
        return DataError(f"{self.place}, row {row}, column {error.column}: {error.why}")


def read_table(path: Path, header: bool = True) -> Table:
    """Read a table; DataError names the file, and the row that is wrong.

    Parameters
    ----------
    path : Path
        A Parquet file by its suffix; else text in UTF-8, its values separated by commas,
        semicolons or tabs, whichever there are most of in its first line.
    header : bool
        Whether the first line of a text names the columns; else they are x1, x2, ...
    """
    try:
        table = _read_parquet(path) if path.suffix == ".parquet" else _read_text(path, header)
    except DataError as error:
        if path.suffix.lower() in ENDINGS:
            raise
        raise DataError(f"{error} (a table is read from {', '.join(ENDINGS)})") from None
    names = list(table.frame.columns)
    if not len(table.frame):
        raise DataError(f"{path} holds no row of data")
    for name in names:
        if not isinstance(name, str) or not name.strip() or not name.isprintable():
            raise DataError(f"{path}: column {names.index(name) + 1} has no name of printable text")
        if names.count(name) > 1:
            raise DataError(f"{path} has {names.count(name)} columns of the name {name!r}")
    return table


def _read_parquet(path: Path) -> Table:
    import pandas as pd

    try:
        frame = pd.read_parquet(path)
        for _, column in frame.items():
            column.to_numpy()  # Arrow notices some damage only now
    except Exception as error:  # Arrow has many ways to say it
        raise DataError(f"{path} is not a readable Parquet file ({in_one_line(error)})") from None
    return Table(str(path), frame.reset_index(drop=True), np.arange(1, len(frame) + 1))


def _read_text(path: Path, header: bool) -> Table:
    import pandas as pd

    text = _decoded(path)
    first = text.lstrip("\r\n").partition("\n")[0]
    separator = max(",;\t", key=first.count)
    names, n_header, row_numbers = _check_rows(path, text, separator, header)
    try:
        frame = pd.read_csv(
            io.StringIO(text),
            sep=separator,
            header=None,
            names=range(len(names)),
            skiprows=n_header,
            dtype=str,
            na_values=MISSING,
            skipinitialspace=True,
        )
    except (ValueError, pd.errors.ParserError) as error:
        raise DataError(f"{path} cannot be read as a table: {in_one_line(error)}") from None
    frame.columns = pd.Index(names)
    return Table(str(path), frame, row_numbers, untyped=True)


def _decoded(path: Path) -> str:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}") from None
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        row = content.count(b"\n", 0, error.start) + 1
        raise DataError(
            f"{path}, row {row}: a byte is not UTF-8; save the file in that encoding"
        ) from None
    if "\0" in text:
        row = text.count("\n", 0, text.index("\0")) + 1
        raise DataError(f"{path}, row {row}: a NUL character; it is no text file")
    return text


def _check_rows(
    path: Path, text: str, separator: str, header: bool
) -> tuple[list[str], int, np.ndarray]:
    """Return the columns' names, the lines of the header, and the number of each row of data.

    DataError unless all rows are equally long.
    """
    reader = csv.reader(io.StringIO(text), delimiter=separator, skipinitialspace=True)
    names: list[str] = []
    n_header, row_numbers = 0, []
    try:
        for row in reader:
            if not row:
                continue
            if not names:
                names = [f"x{i}" for i in range(1, len(row) + 1)]
                if header:
                    names = [name.strip() or _nameless(i, row) for i, name in enumerate(row)]
                    n_header = reader.line_num
                    continue
            if len(row) != len(names):
                raise DataError(
                    f"{path}, row {reader.line_num}: {len(row)} values, where the first row has "
                    f"{len(names)}"
                )
            row_numbers.append(reader.line_num)
    except csv.Error as error:
        raise DataError(f"{path}, row {reader.line_num}: {error}") from None
    if not row_numbers:
        raise DataError(f"{path} holds no row of data")
    return names, n_header, np.array(row_numbers, np.int64)


def _nameless(place: int, others: list[str]) -> str:
    """Return a name for a column; one that was read and written again may have the usual one."""
    name = f"{NAMELESS}{place}"
    return f"{name}.1" if name in others else name
