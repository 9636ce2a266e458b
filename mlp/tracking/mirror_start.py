"""Starting the process that sends runs to MLflow; imports little, to do that early."""

import fcntl
import logging
import os
import subprocess
import sys
from contextlib import suppress
from hashlib import blake2s
from pathlib import Path

from mlp.base import runs_dir
from mlp.tracking.address import is_lost, tracking_uri

logger = logging.getLogger(__name__)
_started: list["subprocess.Popen[bytes]"] = []  # one that was forgotten would warn


def ensure_mirror(soon: bool = False) -> bool:
    """Start the mirror if the outbox is not empty; tell whether none was running.

    There is one for each folder of runs and store. It outlives this process and its terminal. It
    holds a lock, which this process acquires for it.

    Parameters
    ----------
    soon : bool
        Start it for a run that is about to be opened, too: it takes seconds to get ready. A store
        that does not exist is left to the run, which may yet be refused.
    """
    if not (soon and not is_lost(tracking_uri())):
        from mlp.runs import undelivered_runs

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


def lock_file() -> Path:
    """Return the file that the mirror of the store in force holds a lock on."""
    return runs_dir() / f"mirror-{blake2s(tracking_uri().encode(), digest_size=4).hexdigest()}.lock"


def locked(lock: int) -> bool:
    """Tell whether a lock could be acquired on an open file."""
    with suppress(BlockingIOError):
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return True
    return False
