"""Saving a run elsewhere when its folder cannot be written any more."""

import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from mlp.runs.folder import RunFolder, write_csv, write_run
from mlp.runs.record import RunRecord


def save_elsewhere(
    folder: RunFolder,
    record: RunRecord,
    rows: Sequence[Mapping[str, float]],
    write_weights: Callable[[Path], None],
) -> str:
    """Store a run's weights and history where there is space.

    Parameters
    ----------
    folder : RunFolder
        That cannot be written.
    record : RunRecord
        As ``run.json`` would hold it.
    rows : sequence of mapping
        The history.
    write_weights : callable
        Writes them to a path.

    Returns
    -------
    str
        As the end of a message: where they are, or that they are lost.
    """
    for place in (Path(tempfile.gettempdir()), Path.home()):
        try:
            path = Path(tempfile.mkdtemp(prefix=f"mlp-{record.id[:8]}-", dir=place))
        except OSError:
            continue
        try:
            saved = RunFolder(path)
            write_weights(saved.weights)
            if rows:
                write_csv(saved.history, list(rows[0]), (row.values() for row in rows))
            write_run(saved, record)
            if folder.config.exists():  # not in a folder that was deleted meanwhile
                shutil.copy2(folder.config, saved.config)
        except OSError:
            shutil.rmtree(path, ignore_errors=True)
        else:
            return f"the best epoch's weights and the history are in {path}"
    return "the weights are lost: the temporary and the home folder do not take them either"
