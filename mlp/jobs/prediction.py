"""What a stored network answers about rows whose labels nobody knows."""

import logging
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from mlp import runs
from mlp.base import DataError, in_brief
from mlp.data import CellError, Table, TablePreprocessing, encode_numbers, read_inputs
from mlp.runs import RunFolder
from mlp.training import Predictor

if TYPE_CHECKING:
    from pandas import DataFrame

logger = logging.getLogger(__name__)


def predict_file(folder: RunFolder, path: Path) -> "DataFrame":
    """Return what a stored run answers for each row of a file, see `Predictor.table`.

    Parameters
    ----------
    folder : RunFolder
    path : Path
        As `mlp.data.read_inputs` takes it. Of a table, columns that the network does not know are
        ignored.

    Raises
    ------
    UserError
        When the run or the file is not acceptable.
    """
    runs.refuse_links(folder)
    runs.check_own_classes(runs.read_config(folder), runs.read_training(folder), folder)
    predictor, inputs = Predictor.load(folder.weights), read_inputs(path)
    try:
        if not isinstance(inputs, Table):
            return predictor.table(inputs)
        if not isinstance(predictor.scaler, TablePreprocessing):
            return predictor.table(_numbers(inputs))
        _warn_of_unknown(predictor.scaler, inputs)
        return predictor.table(inputs.frame)
    except CellError as error:
        assert isinstance(inputs, Table)
        raise inputs.bad_cell(error) from None
    except ValueError as error:
        raise DataError(f"{path}: {error}") from None


def _warn_of_unknown(columns: TablePreprocessing, table: Table) -> None:
    """Say in which columns there are categories of which the network knows nothing."""
    n_rows, unknown = len(table.frame), columns.unknown(columns.raw(table.frame))
    if unknown:
        places = in_brief(f"{name} in {n:,} of {n_rows:,} rows" for name, n in unknown.items())
        logger.warning("categories that were not in the data trained on: %s", places)


def _numbers(table: Table) -> np.ndarray:
    """Return a table as a matrix of numbers, for a network that was trained on arrays."""
    return np.column_stack([encode_numbers(name, values) for name, values in table.frame.items()])
