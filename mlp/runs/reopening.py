"""Opening an interrupted run again, in its folder."""

import logging
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from mlp.base import RunError, remove, remove_unfinished
from mlp.data import Dataset
from mlp.runs.folder import (
    RunFolder,
    mend_history,
    read_history,
    read_training,
    update_run,
)
from mlp.runs.lock import RunLock, mark_orphaned, this_process
from mlp.runs.provenance import collect_provenance
from mlp.runs.record import Provenance, Resumption
from mlp.runs.recorder import Recorder

logger = logging.getLogger(__name__)


def reopen_run(folder: RunFolder, dataset: Dataset, changes: Mapping[str, Any]) -> Recorder:
    """Open a run again, and return what records the rest of it.

    Parameters
    ----------
    folder : RunFolder
    dataset : Dataset
        As it is today.
    changes : mapping
        What differs from the stored configuration from here on, by dotted key.

    Raises
    ------
    RunError
        When another process works on the run, or its data have changed.
    """
    mark_orphaned(folder)
    lock, opened = RunLock(folder), False
    try:
        record = read_training(folder)
        if dataset.digest != record.data.digest:
            raise RunError(
                f"the data of {record.name} have changed since it began; it cannot go on with "
                "others"
            )
        remove_unfinished(folder.path)
        remove_unfinished(folder.figures)
        remove(folder.traceback)
        mend_history(folder)
        read_history(folder)  # a damaged one is refused before anything is changed
        now, origin = datetime.now(UTC), collect_provenance()
        resumption = Resumption(at=now, changes=dict(changes), provenance=origin)
        opened = True
        update_run(
            folder,
            status="RUNNING",
            continued=now,
            ended=None,
            stop_reason=None,
            test=None,
            process=this_process(),
            resumed=[*record.resumed, resumption],
        )
        run = Recorder(folder, lock)
    except BaseException as error:
        lock.end(in_order=not opened)
        if not isinstance(error, OSError):
            raise
        raise RunError(f"{folder.path} cannot be written: {error.strerror}") from None
    for difference in _differences(record.provenance, origin):
        logger.warning("%s: the last bits may differ", difference)
        run.log(difference)
    return run


def _differences(then: Provenance, now: Provenance) -> list[str]:
    """Return in what two origins differ that may decide about the last bits."""
    facts: dict[str, list[str | None]] = {
        "NumPy": [origin.versions.get("numpy") for origin in (then, now)],
        "the BLAS library": [
            f"{origin.blas.library} {origin.blas.version}" for origin in (then, now)
        ],
        "the code's commit": [origin.git.commit if origin.git else None for origin in (then, now)],
    }
    return [f"{what} was {a} and is {b}" for what, (a, b) in facts.items() if a != b]
