"""The stored runs as a frame of pandas."""

from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from mlp.base import RunError
from mlp.runs.differences import IRRELEVANT, USUAL, flat
from mlp.runs.find import all_runs
from mlp.runs.folder import RunFolder, read_config
from mlp.runs.record import RunRecord

if TYPE_CHECKING:
    from pandas import DataFrame

FIELDS = {"name": "name", "status": "status", "started": "start_time", "seconds": "seconds"}


def runs_frame(all_params: bool = False) -> "DataFrame":
    """Return a row for each stored training, the first started first.

    Columns are named as by MLflow's ``search_runs``: ``run_id``, ``name``, ``status``,
    ``start_time``, ``seconds``, ``metrics.<part>/<metric>``, ``params.<key>`` and ``tags.<key>``.

    Parameters
    ----------
    all_params : bool
        Also those that are the same in all runs, or make no difference to their results.
    """
    from pandas import DataFrame

    records = [record for record in all_runs() if isinstance(record, RunRecord)]
    params = [_params(record) for record in records]
    keys = {key for own in params for key in own}
    if not all_params:
        keys = {key for key in keys if key in USUAL or _tells_apart(key, params)}
    rows = [_row(*pair, keys) for pair in zip(records, params, strict=True)]
    return DataFrame(rows) if rows else DataFrame(columns=["run_id", *FIELDS.values()])


def _tells_apart(key: str, params: Sequence[dict[str, Any]]) -> bool:
    """Tell whether a key that matters to the result has different values."""
    is_relevant = key.partition(".")[0] not in IRRELEVANT
    return is_relevant and len({str(own.get(key)) for own in params}) > 1


def _params(record: RunRecord) -> dict[str, Any]:
    with suppress(RunError):  # a damaged configuration hides neither this run nor the others
        return flat(read_config(RunFolder.of(record.id)))
    return {}


def _row(record: RunRecord, params: dict[str, Any], keys: set[str]) -> dict[str, Any]:
    row = {"run_id": record.id} | {key: getattr(record, name) for name, key in FIELDS.items()}
    asked = {key: value for key, value in params.items() if key in keys}
    for kind, values in {
        "metrics": record.final_metrics,
        "params": asked,
        "tags": record.tags,
    }.items():
        row |= {f"{kind}.{key}": value for key, value in values.items()}
    return row
