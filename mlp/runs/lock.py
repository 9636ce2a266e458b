"""The lock of a run while a process works on it; runs of dead processes are marked KILLED.

A process holds a lock on the file ``alive`` in the folder of its run. The operating system gives
the lock back when the process ends, however it ends: a run that is RUNNING, and whose lock is
free, belongs to a dead process. On a disk that machines share, the lock of another one may not be
seen; there the time of the file tells, which the process renews every few seconds.
"""

import fcntl
import os
import platform
import threading
import time
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout

from mlp.base import RunError, runs_dir
from mlp.runs.folder import RunFolder, read_run, update_run
from mlp.runs.record import Process, Record

LOOK = 0.5  # seconds for which somebody who only looks may hold the lock
HEARTBEAT = 3.0  # seconds between two heartbeats
TIMEOUT = 60.0  # seconds without one after which another machine's process counts as dead
DIED = "its process died"


class RunLock:
    """Shows that this process works on a run, from here on until `end`.

    Parameters
    ----------
    folder : RunFolder
        There already; ``run.json`` need not be.

    Raises
    ------
    RunError
        When another process works on it.
    """

    def __init__(self, folder: RunFolder) -> None:
        self._folder = folder
        self._lock = FileLock(folder.alive, timeout=LOOK, thread_local=False)
        try:
            if _runs_elsewhere(folder):
                raise Timeout(str(folder.alive))
            self._lock.acquire()
            folder.alive.touch()
        except Timeout:
            raise RunError(f"another process is working on this run: {folder.path}") from None
        except OSError as error:
            raise RunError(f"{folder.path} cannot be written: {error.strerror}") from None
        self._over = threading.Event()
        threading.Thread(target=self._beat, name="heartbeat", daemon=True).start()

    def end(self) -> None:
        """Give the run free; if its record says RUNNING still, the next start takes it for dead."""
        self._over.set()
        if not _is_running(self._folder):
            self._folder.alive.unlink(missing_ok=True)
        self._lock.release()

    def _beat(self) -> None:
        while not self._over.wait(HEARTBEAT):
            with suppress(OSError):
                os.utime(self._folder.alive)


def this_process() -> Process:
    """Return what a record says of the process that works on the run."""
    return Process(host=platform.node(), pid=os.getpid())


def is_alive(folder: RunFolder) -> bool:
    """Tell whether a process works on a run."""
    if _runs_elsewhere(folder):
        return True
    try:
        descriptor = os.open(folder.alive, os.O_RDONLY | os.O_NOFOLLOW)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)  # shared: others may look, too
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def mark_orphaned(folder: RunFolder) -> Record | None:
    """Mark an orphaned run, left RUNNING by a dead process, as KILLED at its last heartbeat.

    Returns
    -------
    Record or None
        The new record; None if the run is alive, or has ended.
    """
    if is_alive(folder) or read_run(folder).status != "RUNNING":
        return None
    signs = [folder.alive, folder.history, folder.log, folder.record]
    last = datetime.fromtimestamp(max(map(_changed, signs)), UTC)  # before the lock touches one
    with suppress(Timeout), FileLock(folder.alive, timeout=0):
        record = read_run(folder)
        if record.status == "RUNNING":
            end = record.ended_at(last)
            return update_run(folder, status="KILLED", stop_reason=DIED, **end)
    return None


def mark_orphaned_runs() -> list[Record]:
    """Mark all orphaned runs as killed, and return those that were not returned before.

    A mirror may have marked a run first: its ``alive`` shows that nobody was told yet.
    """
    killed = []
    for file in sorted(runs_dir().glob("*/alive")):
        folder = RunFolder(file.parent)
        with suppress(RunError, OSError):  # a folder that cannot be read hinders nobody
            mark_orphaned(folder)
            record = read_run(folder)
            if is_alive(folder):
                continue
            if record.stop_reason == DIED:
                killed.append(record)
            folder.alive.unlink()
    return killed


def _is_running(folder: RunFolder) -> bool:
    """Tell whether a record, if there is one, says so."""
    try:
        return read_run(folder).status == "RUNNING"
    except RunError:
        return False


def _changed(path: Path) -> float:
    """Return when a file has changed last; 0 if it is not there, or not any more."""
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def _runs_elsewhere(folder: RunFolder) -> bool:
    """Tell whether another machine's process has given a heartbeat of late."""
    try:
        silence = time.time() - folder.alive.stat().st_mtime
        host = read_run(folder).process.host
    except (OSError, RunError):  # nobody's, or one that is just being made
        return False
    return host != platform.node() and silence < TIMEOUT
