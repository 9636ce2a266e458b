"""The stored runs as a frame of pandas."""

from typing import TYPE_CHECKING, Any

from mlp.runs.differences import flat
from mlp.runs.find import all_runs
from mlp.runs.folder import RunFolder, read_config
from mlp.runs.record import RunRecord

if TYPE_CHECKING:
    from pandas import DataFrame


def runs_frame() -> "DataFrame":
    """Return a row for each stored training, the first started first.

    Columns are named as by MLflow's ``search_runs``: ``run_id``, ``name``, ``status``,
    ``start_time``, ``seconds``, ``metrics.<part>/<metric>``, ``params.<key>`` and ``tags.<key>``.
    """
    from pandas import DataFrame

    return DataFrame([_row(record) for record in all_runs() if isinstance(record, RunRecord)])


def _row(record: RunRecord) -> dict[str, Any]:
    params = flat(read_config(RunFolder.of(record.id)))
    row: dict[str, Any] = {"run_id": record.id, "name": record.name, "status": record.status}
    row |= {"start_time": record.started, "seconds": record.seconds}
    for kind, values in (
        ("metrics", record.final_metrics),
        ("params", params),
        ("tags", record.tags),
    ):
        row |= {f"{kind}.{key}": value for key, value in values.items()}
    return row
