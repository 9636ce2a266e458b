"""The columns of a table, and tables as matrices of numbers."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from shlex import quote
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

Kind = Literal["numeric", "boolean", "categorical"]

WHOLE = re.compile(r"^(-?\d+)\.0+$")
BOOLEANS = {"false": 0, "true": 1, "0": 0, "1": 1}


class CellError(ValueError):
    """A value that its column cannot hold.

    Attributes
    ----------
    column : str
    position : int
        Of the row, counted from 0.
    why : str
    """

    def __init__(self, column: str, position: int, why: str) -> None:
        super().__init__(f"column {column}, row {position + 1}: {why}")
        self.column, self.position, self.why = column, position, why


@dataclass(frozen=True)
class Column:
    """A column of a table.

    Attributes
    ----------
    name : str
    kind : {"numeric", "boolean", "categorical"}
    categories : tuple of str
        The known values of a categorical column, in the order of their indices.
    """

    name: str
    kind: Kind
    categories: tuple[str, ...] = ()

    def encode(self, values: "pd.Series") -> np.ndarray:
        """Return the values as numbers, of shape (n,), float64; NaN where one is missing.

        A boolean is 0 or 1, a category its index, an unknown category ``len(categories)``.

        Raises
        ------
        CellError
            For the first value that the column cannot hold.
        """
        if self.kind == "numeric":
            return encode_numbers(self.name, values)
        codes, distinct = _distinct(self.name, values)
        if self.kind == "boolean":
            known = {text: BOOLEANS.get(text.lower()) for text in distinct}
            bad = [i for i, text in enumerate(distinct) if known[text] is None]
            if bad:
                position = int(np.flatnonzero(np.isin(codes, bad))[0])
                why = f"{distinct[codes[position]]!r} is neither true nor false"
                raise CellError(self.name, position, why)
        else:
            index = {text: i for i, text in enumerate(self.categories)}
            known = {text: index.get(text, len(index)) for text in distinct}
        numbers = np.array([*(known[text] for text in distinct), np.nan], np.float64)
        return numbers.take(codes, mode="wrap")  # -1, a missing value, is the last


def encode_table(columns: Sequence[Column], table: Any) -> np.ndarray:
    """Return a table as numbers, of shape (n, n_columns), float64; see `Column.encode`.

    Parameters
    ----------
    columns : sequence of Column
    table : DataFrame, or mapping of str to sequence
        The columns by name, in any order; others are ignored.

    Raises
    ------
    ValueError
        When a column is missing or holds what it cannot.
    """
    import pandas as pd

    try:
        frame = pd.DataFrame(table).rename(columns=str)
    except ValueError as error:
        raise ValueError(f"each column must be a sequence, all of one length: {error}") from None
    for column in columns:
        n = list(frame.columns).count(column.name)
        if n != 1:
            wanted = ", ".join(column.name for column in columns)
            there = f"there {n} times" if n else "missing"
            raise ValueError(f"column {column.name} is {there}; the columns are {wanted}")
    return np.column_stack([column.encode(frame[column.name]) for column in columns])


def decode_row(columns: Sequence[Column], row: np.ndarray) -> dict[str, Any]:
    """Return a row of `encode_table` as values by name, None for a gap or an unknown category."""
    values: dict[str, Any] = {}
    for column, number in zip(columns, row.tolist(), strict=True):
        n_known = len(column.categories) if column.kind == "categorical" else np.inf
        if not number < n_known:  # NaN, too
            values[column.name] = None
        elif column.kind == "categorical":
            values[column.name] = column.categories[int(number)]
        else:
            values[column.name] = bool(number) if column.kind == "boolean" else number
    return values


def encode_numbers(name: str, values: "pd.Series") -> np.ndarray:
    """Return a column's values as float64, NaN where one is missing; CellError as `Column`."""
    import pandas as pd

    try:
        if values.dtype.kind in "mMc":  # a time would become nanoseconds
            raise TypeError
        parsed = pd.to_numeric(values, errors="coerce")
        numbers = parsed.to_numpy(dtype=np.float64, na_value=np.nan)
    except (TypeError, ValueError):  # lists, ...
        raise CellError(name, 0, f"{_shown(values.iloc[0])} is not a number") from None
    is_text = np.isnan(numbers) & values.notna().to_numpy()
    is_large = np.abs(numbers) > np.finfo(np.float32).max
    for bad, why in ((is_text, "not a number"), (is_large, "no finite number in float32")):
        if bad.any():
            position = int(bad.argmax())
            raise CellError(name, position, f"{_shown(values.iloc[position])} is {why}")
    return np.asarray(numbers)


def option(key: str, name: str) -> str:
    """Return ``'data.KEY=[NAME]'`` as one types it, a name that is no plain word in quotes."""
    plain = re.fullmatch(r"[A-Za-z_][\w-]*", name, re.ASCII)
    return quote(f"data.{key}=[{name if plain else json.dumps(name, ensure_ascii=False)}]")


def _shown(value: Any) -> str:
    """Return text in quotes, and all else as it prints."""
    return repr(value) if isinstance(value, str) else str(value)


def as_text(value: Any) -> str:
    """Return the name of a category or a class; 1, 1.0 and "1.0" have the same."""
    return WHOLE.sub(r"\1", " ".join(str(value).split()))


def _distinct(name: str, values: "pd.Series") -> tuple[np.ndarray, list[str]]:
    """Return the distinct values as text, and the index of each row's, -1 where it is missing."""
    import pandas as pd

    try:
        codes, distinct = pd.factorize(values)
    except TypeError:
        raise CellError(name, 0, f"{values.iloc[0]!r} is neither a text nor a number") from None
    return codes, [as_text(value) for value in distinct]
