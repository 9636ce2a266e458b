"""The outbox: runs whose mirror does not have all of their record yet.

A run is in it from its opening on, and again whenever its record changes. Its entry is empty until
a delivery has failed, and says then why.
"""

from contextlib import suppress

from mlp.base import runs_dir
from mlp.runs.folder import RunFolder, record_lock


def undelivered_runs() -> list[RunFolder]:
    """Return the folders of all runs that are to be delivered."""
    entries = sorted((runs_dir() / "outbox").glob("*"))
    return [RunFolder.of(entry.name) for entry in entries]


def settle(folder: RunFolder, record: bytes, failure: str = "") -> None:
    """Note that a record was delivered, or why it was not, unless it has changed meanwhile."""
    with suppress(OSError), record_lock(folder):  # OSError: a full disk, or the run was deleted
        if folder.record.read_bytes() != record:
            return
        if failure:
            folder.undelivered.write_text(failure, encoding="utf-8")
        else:
            folder.undelivered.unlink(missing_ok=True)


def delivery_failure(folder: RunFolder) -> str | None:
    """Return why the last delivery of a run has failed.

    Returns
    -------
    str or None
        '' when none has been tried since its record has changed; None when all is delivered.
    """
    try:
        return folder.undelivered.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
