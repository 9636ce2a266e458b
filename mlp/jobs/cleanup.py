"""What can be thrown away: old runs, what killed processes have left, decoded data sets.

Nothing is touched but what lies in runs/ and in the data's folder, no link is followed, and no run
that a process works on.
"""

import os
import re
import shutil
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from filelock import FileLock, Timeout

from mlp.base import UNFINISHED, RunError, data_dir, runs_dir, temporary_sibling
from mlp.data import is_entry
from mlp.runs import (
    Record,
    RunFolder,
    RunLock,
    RunRecord,
    SweepRecord,
    all_runs,
    find_run,
    is_alive,
)
from mlp.tracking import client_of, is_lost, reason_of, uri_of
from mlp.tracking import delete as delete_from_mlflow
from mlp.training import higher_is_better

RECENT = 3600.0  # seconds; what is younger may belong to a process that still runs


@dataclass(frozen=True)
class Entry:
    """A run, or a sweep with all its runs: they go together.

    Attributes
    ----------
    records : list of Record
        Of a sweep its own first, then those of its runs.
    """

    records: list[Record]

    @property
    def record(self) -> Record:
        """The record of the run, or the sweep's own."""
        return self.records[0]

    @property
    def folders(self) -> list[RunFolder]:
        """The folders of the records."""
        return [RunFolder.of(record.id) for record in self.records]

    @property
    def statuses(self) -> set[str]:
        """The statuses in all its records."""
        return {record.status for record in self.records}

    @property
    def is_alive(self) -> bool:
        """Whether a process works on any of it."""
        return any(map(is_alive, self.folders))

    @property
    def size(self) -> int:
        """Bytes in all its folders."""
        return sum(size_of(folder.path) for folder in self.folders)


@dataclass(frozen=True, kw_only=True)
class Criteria:
    """Which runs and sweeps are meant: those of which all that is asked is true.

    Parameters
    ----------
    names : sequence of str
        As `find_run` takes them; all if empty.
    status : sequence of str
        FINISHED, FAILED, KILLED; any if empty. A sweep is meant if all of its runs are, too: one
        that has FAILED for a single run holds the results of the others.
    older_than : float
        Days since the start.
    keep_last : int
        So many of those started last are not meant,
    keep_best : int
        nor so many of the best FINISHED runs on each data set, nor the sweeps they belong to.
    """

    names: Sequence[str] = ()
    status: Sequence[str] = ()
    older_than: float = 0.0
    keep_last: int = 0
    keep_best: int = 0


def select(criteria: Criteria) -> list[Entry]:
    """Return what is meant, unless a process works on it, the first started first.

    Raises
    ------
    RunError
        For a name that means no run, one that still runs, or a run of a sweep: these go together.
    """
    entries = _entries()
    named = [_named(name, entries) for name in criteria.names] or entries
    kept = entries[max(0, len(entries) - criteria.keep_last) :] + _best(entries, criteria.keep_best)
    limit = datetime.now(UTC) - timedelta(days=criteria.older_than)
    return [
        entry
        for entry in entries
        if entry in named
        and entry not in kept
        and (not criteria.status or entry.statuses <= set(criteria.status))
        and entry.record.started <= limit
        and not entry.is_alive
    ]


def delete(entry: Entry) -> None:
    """Delete a run or a sweep, in MLflow and in runs/.

    Raises
    ------
    RunError
        When a process works on it, MLflow cannot be asked, or a folder cannot be deleted; what is
        left can be deleted later.
    """
    for record in reversed(entry.records):  # a sweep last: its runs are found through it
        folder = RunFolder.of(record.id)
        lock = RunLock(folder)  # from here on, nobody can resume it
        try:
            folder.undelivered.unlink(missing_ok=True)
            for place in _forgotten(record):
                remove_from(runs_dir() / "artifacts", place)
            remove_from(runs_dir(), folder.path)
        finally:
            lock.end()


def leftovers() -> list[Path]:
    """Return what dead processes have left in runs/ and in the data's folder."""
    found = [*_unfinished(runs_dir()), *_unfinished(data_dir())]
    found += [
        folder
        for folder in _folders(runs_dir())
        if re.fullmatch("[0-9a-f]{32}", folder.name)
        and not (folder / "run.json").exists()
        and not is_alive(RunFolder(folder))
    ]
    return sorted(path for path in found if time.time() - path.lstat().st_mtime > RECENT)


def caches() -> list[Path]:
    """Return the decoded data sets; one that is needed again is decoded again."""
    return [path for path in _folders(data_dir() / "cache") if is_entry(path)]


def remove_cache(entry: Path) -> None:
    """Delete a decoded data set; RunError while it is being made."""
    lock = FileLock(f"{entry}.lock", timeout=0)
    try:
        with lock:
            remove_from(data_dir() / "cache", entry)
            Path(lock.lock_file).unlink()
    except Timeout:
        raise RunError(f"{entry} is being made by another process") from None


def remove_from(place: Path, path: Path) -> None:
    """Delete a file or a folder that lies in a place, at any depth.

    Raises
    ------
    RunError
        When it is a link, or lies elsewhere, or cannot be deleted.
    """
    if not path.exists():
        return
    if path.is_symlink() or place.resolve() not in path.resolve().parents:
        raise RunError(f"{path} does not lie in {place}, or is a link: it stays")
    try:
        doomed = temporary_sibling(path)
        path.rename(doomed)  # at once, so that nobody meets half of it
        shutil.rmtree(doomed) if doomed.is_dir() else doomed.unlink()
    except OSError as error:
        raise RunError(f"{path} cannot be deleted ({error})") from None


def size_of(path: Path) -> int:
    """Return the bytes in a file or in all files of a folder; links are not followed."""
    files = [path] if not path.is_dir() else []
    for folder, _, names in os.walk(path):
        files += [Path(folder, name) for name in names]
    return sum(file.lstat().st_size for file in files)


def _entries() -> list[Entry]:
    records = all_runs()
    entries = {record.id: Entry([record]) for record in records}
    for record in records:
        if isinstance(record, RunRecord) and record.sweep and record.sweep.parent in entries:
            entries[record.sweep.parent].records.append(record)
            del entries[record.id]
    return list(entries.values())


def _named(name: str, entries: list[Entry]) -> Entry:
    path = find_run(name).path.resolve()
    for entry in entries:
        own, *jobs = (folder.path.resolve() for folder in entry.folders)
        if path == own:
            if entry.is_alive:
                raise RunError(f"a process works on {entry.record.name!r}: it stays")
            return entry
        if path in jobs:
            sweep = entry.record.name
            raise RunError(f"{name!r} is a run of the sweep {sweep!r}, which goes as a whole")
    raise RunError(f"{path} is a copy, or does not lie in {runs_dir()}: it stays")


def _best(entries: list[Entry], n: int) -> list[Entry]:
    """Return the entries of the ``n`` best runs of each task, by each monitored metric."""
    rivals = defaultdict(list)
    for entry in entries:
        for record in entry.records:
            if isinstance(record, SweepRecord) or record.status != "FINISHED" or record.limited:
                continue
            metric = record.monitor
            if metric in record.metrics:
                rivals[record.task, metric].append((record.metrics[metric], entry))
    return [
        entry
        for (_, metric), values in rivals.items()
        for _, entry in sorted(values, key=lambda v: v[0], reverse=higher_is_better(metric))[:n]
    ]


def _forgotten(record: Record) -> list[Path]:
    """Delete a run in MLflow; return the folders of its artifacts in our own store."""
    tracking = record.tracking
    try:
        if tracking is None or is_lost(uri_of(tracking)):
            return []
        paths = delete_from_mlflow(record, client_of(tracking))
    except Exception as error:  # MLflow lets through what its database or its network raises
        raise RunError(f"{record.name} stays: MLflow says {reason_of(error)}") from None
    ours = (runs_dir() / "artifacts").resolve()
    return [path.parent for path in paths if path.parent.resolve().is_relative_to(ours)]


def _unfinished(place: Path) -> Iterator[Path]:
    """Yield what dead writers have left below a place, in no run that is alive."""
    for folder, folders, files in os.walk(place):
        if is_alive(RunFolder(Path(folder))):
            folders.clear()
            continue
        yield from (Path(folder, name) for name in (*folders, *files) if _is_unfinished(name))
        folders[:] = [name for name in folders if not _is_unfinished(name)]


def _is_unfinished(name: str) -> bool:
    return re.fullmatch(rf"\..+\.[0-9a-f]{{8}}{re.escape(UNFINISHED)}", name) is not None


def _folders(place: Path) -> list[Path]:
    if not place.is_dir():
        return []
    entries = [path for path in place.iterdir() if path.is_dir() and not path.is_symlink()]
    return sorted(path for path in entries if not path.name.startswith("."))
