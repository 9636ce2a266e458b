"""An index of the runs, so that one among ten thousand is found without reading all records.

It is a cache in ``runs/index.db``: a record whose file has changed is read again, and a database
that is damaged or cannot be written is done without.
"""

import json
import os
import sqlite3
from contextlib import closing, suppress
from datetime import datetime
from pathlib import Path
from stat import S_ISREG
from typing import Any, NamedTuple

from mlp.base import RunError, runs_dir
from mlp.runs.folder import RunFolder, read_run
from mlp.runs.record import Record, RunRecord

TABLE = "CREATE TABLE IF NOT EXISTS runs (folder TEXT PRIMARY KEY, stamp TEXT, summary TEXT)"


class Entry(NamedTuple):
    """What is asked of a run before its record is read.

    Attributes
    ----------
    task : list of str or None
        What makes runs comparable; None for a sweep, and for a run that is not to be compared.
    metrics : dict of str to float
        Of the best epoch.
    """

    folder: str
    id: str
    name: str
    kind: str
    status: str
    started: str
    monitor: str
    task: list[str] | None
    metrics: dict[str, float]

    @property
    def path(self) -> RunFolder:
        """The run's folder."""
        return RunFolder.of(self.folder)


def read_index() -> list[Entry]:
    """Return an entry for every readable run and sweep, the first started first."""
    stamps = _stamps()
    with closing(_open()) as database:
        rows = {folder: rest for folder, *rest in database.execute("SELECT * FROM runs")}
        changed = [
            (folder, stamp, _summary(folder))
            for folder, stamp in stamps.items()
            if rows.get(folder, [None])[0] != stamp
        ]
        rows |= {folder: [stamp, summary] for folder, stamp, summary in changed}
        with suppress(sqlite3.Error), database:  # another process may have done it
            database.executemany("REPLACE INTO runs VALUES (?, ?, ?)", changed)
            gone = [(folder,) for folder in rows.keys() - stamps.keys()]
            database.executemany("DELETE FROM runs WHERE folder = ?", gone)
    entries = [
        Entry(folder, **json.loads(summary))
        for folder, (_, summary) in rows.items()
        if summary and folder in stamps
    ]
    return sorted(entries, key=lambda entry: (datetime.fromisoformat(entry.started), entry.id))


def _stamps() -> dict[str, str]:
    """Return what changes with each run's record, by the name of the run's folder."""
    stamps = {}
    with suppress(FileNotFoundError):
        for entry in os.scandir(runs_dir()):
            with suppress(OSError):  # no run
                stat = os.lstat(os.path.join(entry.path, "run.json"))
                if S_ISREG(stat.st_mode):
                    stamps[entry.name] = f"{stat.st_ino} {stat.st_size} {stat.st_mtime_ns}"
    return stamps


def _open() -> sqlite3.Connection:
    """Return the database; one in memory where there can be none."""
    file = runs_dir() / "index.db"
    for place in (file, file, Path(":memory:")):
        try:
            database = sqlite3.connect(place)
            database.execute(TABLE)
            database.execute("SELECT folder, stamp, summary FROM runs LIMIT 1").fetchall()
            return database
        except sqlite3.OperationalError:  # it cannot be written, or another process is at it
            continue
        except sqlite3.DatabaseError:
            with suppress(OSError):
                file.unlink()
    raise AssertionError("a database in memory can always be opened")


def _summary(folder: str) -> str | None:
    """Return an entry without its folder, as JSON; None for a record that cannot be read."""
    try:
        record: Record = read_run(RunFolder.of(folder))
    except RunError:
        return None
    summary: dict[str, Any] = {
        "id": record.id,
        "name": record.name,
        "kind": record.kind,
        "status": record.status,
        "started": record.started.isoformat(sep=" "),
        "monitor": record.monitor,
        "task": None,
        "metrics": {},
    }
    if isinstance(record, RunRecord) and record.monitor in record.metrics and not record.limited:
        summary |= {"task": record.task, "metrics": record.metrics}
    return json.dumps(summary)
