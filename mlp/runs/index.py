"""An index of the runs, so that one among ten thousand is found without reading all records.

It is a cache in ``runs/index.json``: a record whose file has changed is read again, and an index
that is damaged or cannot be written is done without.
"""

import os
from contextlib import suppress
from stat import S_ISREG

from pydantic import TypeAdapter

from mlp.base import RunError, atomic_write, runs_dir
from mlp.runs.fields import Line, Model, Moment
from mlp.runs.folder import RunFolder, read_run
from mlp.runs.record import RunRecord


class Entry(Model):
    """What is asked of a run before its record is read.

    Attributes
    ----------
    task : tuple or None
        What makes runs comparable; None for a sweep, and for a run that is not to be compared.
    sweep : str or None
        The id of the sweep that a run belongs to.
    metrics : dict of str to float
        Of the best epoch.
    """

    folder: Line
    id: Line
    name: Line
    kind: Line
    status: Line
    started: Moment
    monitor: Line
    task: tuple[str, str, str, bool] | None
    sweep: Line | None
    metrics: dict[str, float]

    @property
    def path(self) -> RunFolder:
        """The run's folder."""
        return RunFolder.of(self.folder)


_INDEX = TypeAdapter(dict[str, tuple[str, Entry | None]])  # by folder: its stamp, and what it holds


def read_index() -> list[Entry]:
    """Return an entry for every readable run and sweep, the first started first."""
    file, known = runs_dir() / "index.json", {}
    with suppress(OSError, ValueError):
        known = _INDEX.validate_json(file.read_bytes())
    index = {
        folder: known[folder] if stamp == known.get(folder, ("",))[0] else (stamp, _entry(folder))
        for folder, stamp in _stamps().items()
    }
    if index != known:
        with suppress(OSError), atomic_write(file) as unfinished:
            unfinished.write_bytes(_INDEX.dump_json(index))
    entries = [entry for _, entry in index.values() if entry]
    return sorted(entries, key=lambda entry: (entry.started, entry.id))


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


def _entry(folder: str) -> Entry | None:
    """Return the entry of a run's record; None for one that cannot be read."""
    try:
        record = read_run(RunFolder.of(folder))
    except RunError:
        return None
    task, sweep, metrics = None, None, {}
    if isinstance(record, RunRecord):
        sweep = record.sweep.parent if record.sweep else None
        if record.monitor in record.metrics and not record.limited:
            task, metrics = record.task, record.metrics
    common = record.model_dump(include={"id", "name", "kind", "status", "started", "monitor"})
    return Entry(folder=folder, task=task, sweep=sweep, metrics=metrics, **common)
