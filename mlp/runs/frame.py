"""The stored runs as a frame of pandas."""

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from mlp.base import RunError
from mlp.runs.differences import flat
from mlp.runs.find import all_runs
from mlp.runs.folder import RunFolder, read_config
from mlp.runs.record import RunRecord

if TYPE_CHECKING:
    from pandas import DataFrame

FIELDS = {"name": "name", "status": "status", "started": "start_time", "seconds": "seconds"}


def runs_frame() -> "DataFrame":
    """Return a row for each stored training, the first started first.

    Columns are named as by MLflow's ``search_runs``: ``run_id``, ``name``, ``status``,
    ``start_time``, ``seconds``, ``metrics.<part>/<metric>``, ``params.<key>`` and ``tags.<key>``.
    """
    from pandas import DataFrame

    rows = [_row(record) for record in all_runs() if isinstance(record, RunRecord)]
    return DataFrame(rows) if rows else DataFrame(columns=["run_id", *FIELDS.values()])


def _row(record: RunRecord) -> dict[str, Any]:
    row = {"run_id": record.id} | {key: getattr(record, name) for name, key in FIELDS.items()}
    params: dict[str, Any] = {}
    with suppress(RunError):  # a damaged configuration hides neither this run nor the others
        params = flat(read_config(RunFolder.of(record.id)))
    kinds = {"metrics": record.final_metrics, "params": params, "tags": record.tags}
    for kind, values in kinds.items():
        row |= {f"{kind}.{key}": value for key, value in values.items()}
    return row
