"""What the folders of a sweep's runs say: which of its jobs are done, and which process lives.

A job is claimed by a lock while a process works on it. The operating system gives the lock back
when that process ends, however it ends: so a run whose record says RUNNING, and whose job nobody
claims, belongs to a dead process. And of two processes with the same job, one waits for the other.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
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
def claim(parent: str, key: str) -> Iterator[None]:
    """Have a job, or as key ``sweep`` the sweep as a whole, to oneself; wait for it if need be."""
    with _lock(parent, key):
        yield


def is_claimed(parent: str, key: str) -> bool:
    """Tell whether a living process works on a job."""
    lock = _lock(parent, key)
    try:
        lock.acquire(blocking=False)
    except Timeout:
        return True
    lock.release()
    return False


def _lock(parent: str, key: str) -> FileLock:
    path = runs_dir() / parent / "claims" / f"{key[:32]}.lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    return FileLock(path)


def bury(record: Mapping[str, Any]) -> Record:
    """Mark a run whose process has died KILLED, in its folder."""
    folder = RunFolder(runs_dir() / record["id"])
    ended = datetime.now(UTC)
    seconds = (ended - datetime.fromisoformat(record["started"])).total_seconds()
    return update_run(
        folder, status="KILLED", ended=ended.isoformat(), seconds=seconds, stop_reason=DIED
    )


def bury_dead(children: Children) -> list[Record]:
    """Mark the runs KILLED whose process has died, and return their records."""
    return [
        bury(record)
        for record in children.read()
        if record["status"] == "RUNNING" and not is_claimed(children.parent, record["sweep"]["key"])
    ]


def sweeps() -> list[Record]:
    """Return the record of every sweep, the first started first."""
    records = []
    for path in runs_dir().glob("*/run.json"):
        try:
            record = read_run(RunFolder(path.parent))
        except RunError:
            continue
        if record.get("kind") == "sweep":
            records.append(record)
    return sorted(records, key=lambda record: record["started"])
