"""Waiting until MLflow has what has just been recorded."""

import logging
from collections.abc import Sequence
from math import inf
from time import monotonic, sleep

from mlp.base import RunError
from mlp.runs import RunFolder, delivery_failure, read_run
from mlp.tracking.address import is_remote, tracking_uri, uri_of
from mlp.tracking.mirror_start import ensure_mirror

SERVER_TIMEOUT = 10.0  # seconds that the end of a command waits for a server
MOST_STARTS = 3  # of a process that ends at once, for one command
POLL = 0.02  # seconds
logger = logging.getLogger(__name__)


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
    return f"MLflow does not have all of {runs} yet ({reason}); {have}, and mlp sync sends {them}"
