"""What the folders of a sweep's runs say: which of its jobs are done, and which process lives.

A job is claimed by a lock while a process works on it. The operating system gives the lock back
when that process ends, however it ends: so a run whose record says RUNNING, and whose job nobody
claims, belongs to a dead process. And of two processes with the same job, one waits for the other.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from mlp.errors import RunError
from mlp.paths import runs_dir
from mlp.tracking import RunFolder, read_run
from mlp.tracking.folder import update_run

Record = dict[str, Any]
DIED = "its process died"


class Children:
    """The runs of a sweep's jobs; the records of those that have ended are read once.

    Parameters
    ----------
    parent : str
        The sweep's id.
    """

    def __init__(self, parent: str) -> None:
        self.parent = parent
        self._records: dict[str, Record] = {}  # by folder name
        self._settled: set[str] = set()  # folders that need no second look

    def read(self) -> list[Record]:
        """Return the record of every run so far, the first started first."""
        for path in runs_dir().iterdir():
            if path.name not in self._settled:
                self._look_at(path)
        return sorted(self._records.values(), key=lambda record: record["started"])

    def by_key(self) -> dict[str, Record]:
        """Return the record of each job's run: the finished one, or the latest attempt."""
        records = self.read()
        latest = {record["sweep"]["key"]: record for record in records}
        return latest | {r["sweep"]["key"]: r for r in records if r["status"] == "FINISHED"}

    def counts(self) -> dict[str, int]:
        """Return how many jobs have come to what, see `state`."""
        counts = dict.fromkeys(("finished", "pruned", "failed", "killed", "running"), 0)
        return counts | Counter(map(state, self.by_key().values()))

    def bury_dead(self) -> None:
        """Mark the runs KILLED whose process has died."""
        for record in [record for record in self.read() if record["status"] == "RUNNING"]:
            claimed = is_claimed(runs_dir() / self.parent, record["sweep"]["key"])
            if not claimed:
                bury(record)

    def _look_at(self, path: Path) -> None:
        try:
            record = read_run(RunFolder(path))
        except RunError:
            return  # not a run, or one that is just being made
        ours = (record.get("sweep") or {}).get("parent") == self.parent
        if ours:
            self._records[path.name] = record
        if not ours or record["status"] != "RUNNING":
            self._settled.add(path.name)


def state(record: Mapping[str, Any]) -> str:
    """Return ``running``, ``finished``, ``pruned``, ``failed`` or ``killed``."""
    return "pruned" if record.get("pruned") else record["status"].lower()


@contextmanager
def claim(place: Path, key: str) -> Iterator[None]:
    """Have something to oneself, and wait for it if need be.

    Parameters
    ----------
    place : Path
        A sweep's folder, for a job; that of all runs, for a sweep.
    key : str
        The job's key, or the sweep's identity.
    """
    with _lock(place, key):
        yield


def is_claimed(place: Path, key: str) -> bool:
    """Tell whether a living process works on a job or a sweep, named as for `claim`."""
    lock = _lock(place, key)
    try:
        lock.acquire(blocking=False)
    except Timeout:
        return True
    lock.release()
    return False


def _lock(place: Path, key: str) -> FileLock:
    path = place / "claims" / f"{key[:32]}.lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    return FileLock(path)


def study_journal(parent: str) -> Path:
    """Return where a search with the id ``parent`` has its trials."""
    return runs_dir() / parent / "study.journal"


def bury(record: Mapping[str, Any]) -> Record:
    """Mark a run or a sweep whose process has died KILLED, as of its last sign of life."""
    folder = RunFolder(runs_dir() / record["id"])
    last = max(path.stat().st_mtime for path in folder.path.iterdir())
    ended, since = datetime.fromtimestamp(last, UTC), record.get("continued", record["started"])
    spent = (ended - datetime.fromisoformat(since)).total_seconds()
    return update_run(
        folder,
        status="KILLED",
        stop_reason=DIED,
        ended=ended.isoformat(),
        seconds=(record["seconds"] or 0.0) + spent,
    )


def sweeps() -> list[Record]:
    """Return the record of every sweep, the first started first."""
    records = []
    for path in runs_dir().glob("*/run.json"):
        with suppress(RunError):
            records.append(read_run(RunFolder(path.parent)))
    found = [record for record in records if record.get("kind") == "sweep"]
    return sorted(found, key=lambda record: record["started"])


def find_sweep(identity: str) -> Record | None:
    """Return the record of the latest sweep with this identity, None if there is none."""
    return next((r for r in reversed(sweeps()) if r["identity"] == identity), None)
