"""Send MLflow the runs that it lacks, or has only in part.

What MLflow has already is not stored twice. Exit status: 0 when MLflow has everything, 1 when it
does not, 2 for a run that does not exist.
"""

import argparse
import os
from collections.abc import Sequence

from mlp.base import RunError, command, print_wrapped
from mlp.runs import (
    RunFolder,
    find_run,
    is_alive,
    mark_orphaned_runs,
    read_run,
    settle,
    undelivered_runs,
)
from mlp.tracking import deliver, is_outage, reason_of, uri_of


@command
def main() -> int:
    """Send the runs that the command line names."""
    parser = argparse.ArgumentParser(prog="mlp sync", description=__doc__)
    parser.add_argument("runs", nargs="*", metavar="RUN", help="default: all that MLflow lacks")
    arguments = parser.parse_args()
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "60")  # no training waits for the answer
    mark_orphaned_runs()
    folders = [find_run(reference) for reference in arguments.runs] or undelivered_runs()
    n_left = sync(folders)
    if not folders:
        print("MLflow has all runs.")
    return 1 if n_left else 0


def sync(folders: Sequence[RunFolder]) -> int:
    """Send runs and sweeps to MLflow, and print the result of each.

    Parameters
    ----------
    folders : sequence of RunFolder

    Returns
    -------
    int
        How many of them MLflow still lacks, or has only in part.
    """
    n_left, silent = 0, set()  # silent: servers that did not answer once are not asked again
    for folder in folders:
        content, record = folder.record.read_bytes(), read_run(folder)
        server = record.tracking and uri_of(record.tracking)
        line = f"{record.id[:8]}  {record.name}"
        try:
            if is_alive(folder):
                raise RunError("it is still running")
            if server in silent:
                raise RunError("the server does not answer")
            deliver(folder)
        except Exception as error:
            n_left += 1
            if server and is_outage(error, server):
                silent.add(server)
            print_wrapped(f"not yet  {line}: {reason_of(error)}")
        else:
            settle(folder, content)
            print(f"there    {line}")
    return n_left


if __name__ == "__main__":
    main()
