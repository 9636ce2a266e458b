"""What the columns of a table are, told from their values."""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

import numpy as np

from mlp.base import DataError
from mlp.data.columns import CellError, Column, Kind, as_text, encode_numbers, encode_table, option
from mlp.data.dataset import LABEL_TYPES, LabelType
from mlp.data.table_files import Table

if TYPE_CHECKING:
    import pandas as pd

WITH_COMMA = r"[-+]?[\d.]*(,\d+)+(\.\d+)?"  # 1,5 or 1,000.5


def describe_column(table: Table, name: str, kind: Kind | None = None) -> Column:
    """Return a column of a table, of the given kind or the one that its values look like."""
    values = _plain_values(table, name)
    if not values.notna().any():
        raise DataError(
            f"{table.place}: column {name} is empty; {option('drop', name)} leaves it out"
        )
    kind = kind or _kind(table, name, values.dropna())
    if kind != "categorical":
        return Column(name, kind)
    return Column(name, kind, _names(values))


def check_counts_rows(table: Table, name: str) -> None:
    """Raise DataError unless a column without a name is 0, 1, 2, ... or 1, 2, 3, ..."""
    import pandas as pd

    numbers = pd.to_numeric(table.frame[name], errors="coerce").to_numpy(np.float64)
    if not np.array_equal(numbers, np.arange(len(numbers)) + (numbers[0] == 1)):
        raise DataError(
            f"{table.place}: column {list(table.frame).index(name) + 1} has no name; "
            f"{option('drop', name)} leaves it out, {option('numeric', name)} takes it"
        )


def encode_columns(table: Table, columns: Iterable[Column]) -> np.ndarray:
    """Return the columns as numbers, see `encode_table`; DataError names what is wrong."""
    try:
        return encode_table(list(columns), table.frame)
    except CellError as error:
        raise table.bad_cell(error) from None
    except ValueError as error:
        raise DataError(f"{table.place}: {error}") from None


def read_numbers(table: Table, names: Iterable[str]) -> np.ndarray:
    """Return the target columns as numbers, of shape (n, n_targets), float64."""
    try:
        columns = [encode_numbers(name, _complete(table, name)) for name in names]
    except CellError as error:
        raise table.bad_cell(error) from None
    return np.column_stack(columns)


def find_classes(table: Table, name: str) -> tuple[str, ...]:
    """Return the distinct values of a target column; numbers in ascending order."""
    return _names(_complete(table, name))


def label_type(table: Table, name: str, classes: Sequence[str]) -> LabelType:
    """Return what the labels in a target column are; those of a text, what they look like."""
    import pandas as pd

    if table.untyped:
        if len(_numbers(classes)) == len(classes):
            return "int" if all(text.lstrip("-").isdigit() for text in classes) else "float"
        return "bool" if {text.lower() for text in classes} <= {"true", "false"} else "str"
    dtype = _plain_values(table, name).dtype
    dtype = dtype.categories.dtype if isinstance(dtype, pd.CategoricalDtype) else dtype
    return LABEL_TYPES.get(dtype.kind, "str")


def check_classes(table: Table, name: str, names: Sequence[str]) -> None:
    """Raise DataError if a network cannot learn to tell these classes."""
    for label in names:
        if not label.isprintable():
            raise DataError(f"{table.place}: column {name} holds {label!r}, no printable text")
    n_rows = len(table.frame)
    if len(names) < 2:
        raise DataError(f"{table.place}: column {name} holds one class only ({names[0]})")
    numbers = _numbers(names)
    has_fractions = any(not n.is_integer() for n in numbers) and len(numbers) == len(names)
    if len(names) > 20 and (n_rows < 5 * len(names) or has_fractions):
        few = len(numbers) < len(names) / 2
        raise DataError(
            f"{table.place}: column {name} holds {len(names)} different "
            f"{'texts' if few else 'values'} in {n_rows} rows, too many for classes; "
            + ("each should have 5 rows or more" if few else "task=regression predicts numbers")
        )
    if has_fractions and not table.untyped:
        raise DataError(
            f"{table.place}: column {name} holds numbers with fractions; labels should be whole "
            "numbers, texts or booleans; task=regression predicts other numbers"
        )


def read_classes(table: Table, name: str, classes: tuple[str, ...]) -> np.ndarray:
    """Return the index of each row's class, of shape (n,), int64."""
    values = _complete(table, name)
    indices = Column(name, "categorical", classes).encode(values).astype(np.int64)
    unknown = np.flatnonzero(indices == len(classes))
    if len(unknown):
        label = as_text(values.iloc[unknown[0]])
        shown = ", ".join(classes[:10]) + (", ..." if len(classes) > 10 else "")
        error = CellError(name, unknown[0], f"{label!r} is a new class; known are {shown}")
        raise table.bad_cell(error)
    return indices


def _complete(table: Table, name: str) -> "pd.Series":
    """Return a target column; DataError when it is not there, or a value is missing."""
    table.values(name, "data.target")
    values = _plain_values(table, name)
    gaps = np.flatnonzero(values.isna())
    if len(gaps):
        raise table.bad_cell(CellError(name, gaps[0], "the target is missing"))
    return values


def _plain_values(table: Table, name: str) -> "pd.Series":
    """Return a column; DataError if its values are neither numbers nor text."""
    values = table.frame[name].infer_objects()
    odd = {str(values.dtype)} if values.dtype.kind in "mMc" else set()  # times, complex numbers
    if values.dtype == object:
        odd = {type(v).__name__ for v in values if isinstance(v, list | dict | np.ndarray)}
    if odd:
        raise DataError(
            f"{table.place}: column {name} holds neither numbers nor text but {min(odd)}; "
            f"{option('drop', name)} leaves it out"
        )
    return values


def _names(values: "pd.Series") -> tuple[str, ...]:
    """Return the distinct values as text, in the order of numbers if they are numbers."""
    names = {as_text(value) for value in values.dropna().unique()}
    try:
        return tuple(sorted(names, key=float))
    except ValueError:
        return tuple(sorted(names))


def _numbers(names: Iterable[str]) -> list[float]:
    """Return those of the names that are numbers."""
    found = []
    for name in names:
        with suppress(ValueError):
            found.append(float(name))
    return found


def _kind(table: Table, name: str, values: "pd.Series") -> Kind:
    """Return the kind that the values, none of them missing, look like."""
    import pandas as pd
    from pandas.api.types import is_bool_dtype, is_numeric_dtype

    if is_bool_dtype(values):
        return "boolean"
    if is_numeric_dtype(values):
        return "numeric"
    if isinstance(values.dtype, pd.CategoricalDtype):
        return "categorical"
    is_number = pd.to_numeric(values, errors="coerce").notna()
    if is_number.all():
        return "numeric"
    if {as_text(value).lower() for value in values.unique()} <= {"true", "false"}:
        return "boolean"
    first = values[~is_number].index[0]
    if values[~is_number].astype(str).str.fullmatch(WITH_COMMA).all():
        raise DataError(
            f"{table.place}: column {name} holds numbers with commas, such as {values[first]!r}; "
            f"write them with a decimal point, or {option('categorical', name)} makes categories "
            "of them"
        )
    if is_number.mean() > 0.5:
        why = (
            f"{values[first]!r} is not a number, as most are there; {option('categorical', name)} "
            "makes categories of all"
        )
        raise table.bad_cell(CellError(name, first, why))
    if len(values) > 2 and values.is_unique:
        raise DataError(
            f"{table.place}: column {name} holds a different text in each row, such as "
            f"{values[first]!r}, so nothing can be learnt from it; {option('drop', name)} leaves "
            "it out"
        )
    return "categorical"
