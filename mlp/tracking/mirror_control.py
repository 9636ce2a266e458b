"""Starting the process that sends runs to MLflow, and waiting for it."""

import fcntl
import logging
import os
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from hashlib import blake2s
from math import inf
from pathlib import Path
from time import monotonic, sleep

from mlp.base import RunError, runs_dir
from mlp.runs import RunFolder, delivery_failure, read_run, undelivered_runs
from mlp.tracking.store import is_remote, tracking_uri, uri_of

SERVER_TIMEOUT = 10.0  # seconds that the end of a command waits for a server
MOST_STARTS = 3  # of a process that ends at once, for one command
POLL = 0.05  # seconds
logger = logging.getLogger(__name__)
_started: list["subprocess.Popen[bytes]"] = []  # one that was forgotten would warn


def ensure_mirror() -> bool:
    """Start the mirror if the outbox is not empty; tell whether none was running.

    There is one for each folder of runs and store. It outlives this process and its terminal. It
    holds a lock, which this process acquires for it.
    """
    if not undelivered_runs():
        return False
    try:
        lock = os.open(lock_file(), os.O_RDWR | os.O_CREAT, 0o666)
    except OSError:  # a full disk, a folder of somebody else: no run fails for that
        return True
    try:
        if not locked(lock):
            return False
        process = subprocess.Popen(
            [sys.executable, "-m", "mlp.tracking.mirror", str(lock)],
            pass_fds=[lock],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        _started[:] = [*(p for p in _started if p.poll() is None), process]
    except OSError as error:
        logger.warning("nothing brings runs to MLflow: %s", error)
    finally:
        os.close(lock)
    return True


def wait_for_delivery(folders: Sequence[RunFolder]) -> None:
    """Wait until MLflow has all of some runs; warn if it has not in the end.

    A server is given ten seconds, our own database as long as it takes.

    Parameters
    ----------
    folders : sequence of RunFolder
        Of runs that have ended.
    """
    end = monotonic() + SERVER_TIMEOUT if is_remote(tracking_uri()) else inf
    n_started = 0
    while any(map(_is_awaited, folders)) and monotonic() < end and n_started < MOST_STARTS:
        n_started += ensure_mirror()
        sleep(POLL)
    if left := [folder for folder in folders if delivery_failure(folder) is not None]:
        logger.warning(_complaint(left))


def lock_file() -> Path:
    """Return the file that the mirror of the store in force holds a lock on."""
    return runs_dir() / f"mirror-{blake2s(tracking_uri().encode(), digest_size=4).hexdigest()}.lock"


def locked(lock: int) -> bool:
    """Tell whether a lock could be acquired on an open file."""
    with suppress(BlockingIOError):
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return True
    return False


def _is_awaited(folder: RunFolder) -> bool:
    """Tell whether a run is yet to be delivered, and may be."""
    reason = delivery_failure(folder)
    if reason is None or (reason and not is_remote(tracking_uri())):
        return False
    try:
        tracking = read_run(folder).tracking
    except RunError:  # it was deleted meanwhile
        return False
    return tracking is not None and uri_of(tracking) == tracking_uri()


def _complaint(left: Sequence[RunFolder]) -> str:
    reason = next(filter(None, map(delivery_failure, left)), "it has not answered yet")
    runs, have, them = f"{len(left)} runs", "their folders do", "them"
    if len(left) == 1:
        runs, have, them = f"run {left[0].path.name[:8]}", "its folder does", "it"
    return (
        f"MLflow does not have all of {runs} yet ({reason}); {have}, "
        f"and python -m mlp.sync sends {them}"
    )
