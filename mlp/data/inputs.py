"""Inputs without labels, from the user's files."""

from pathlib import Path

import numpy as np

from mlp.base import DataError
from mlp.data.npz import read_arrays
from mlp.data.table_files import Table, read_table


def read_inputs(path: Path) -> Table | np.ndarray:
    """Return a table, or the array ``X`` (or ``x_test``) of an .npz file.

    Raises
    ------
    DataError
        When the file is absent or damaged, or holds no such array.
    """
    if not path.is_file():
        raise DataError(f"there is no file {path}; it should be .csv, .tsv, .parquet or .npz")
    if path.suffix != ".npz":
        return read_table(path)
    arrays = read_arrays(path)
    for name in ("X", "x_test"):
        if name in arrays:
            return arrays[name]
    raise DataError(f"{path} holds no array X")
