"""Serve MLflow's UI on all runs, on one, a sweep or a comparison.

Ctrl-C ends it. Runs that are recorded at a server of their own are shown by that server.
"""

from collections.abc import Sequence

from mlp.base import Parser, RunError, command
from mlp.runs import find_run, read_run
from mlp.tracking import (
    comparison_page,
    is_remote,
    lists_of_runs,
    page_of,
    served_address,
    served_ui,
    tracking_uri,
    uri_of,
)

PORT = 5000
EXPERIMENTS = "/#/experiments?workflowType=machine_learning"  # where there is none of ours yet
RUNS = "a run, a sweep, or runs to be compared; default: the lists of all runs"


@command
def main() -> None:
    """Serve what the command line asks for until a signal ends it."""
    parser = Parser("mlp ui", description=__doc__)
    parser.add_argument("runs", nargs="*", metavar="RUN", help=RUNS)
    parser.add_argument("--port", type=int, default=PORT, help=f"or the next free; default {PORT}")
    arguments = parser.parse_args()
    if not 0 < arguments.port < 1 << 16:
        parser.error(f"--port must be from 1 to 65535, got {arguments.port}")
    uri, found = _pages(arguments.runs)
    address = uri if is_remote(uri) else served_address(uri)
    if address:
        if not is_remote(uri):
            print("MLflow's UI is being served already:")
        _show(address, found)
        return
    print("starting MLflow's UI ...", flush=True)
    with served_ui(uri, arguments.port) as (address, process):
        if not address.endswith(f":{arguments.port}"):
            print(f"port {arguments.port} is taken, another one is used:")
        _show(address, found)
        print("Ctrl-C ends it", flush=True)
        try:
            process.wait()
        except KeyboardInterrupt:
            return
        raise RunError("MLflow's server has ended")


def _pages(references: Sequence[str]) -> tuple[str, dict[str, str]]:
    """Return a store and pages in it by name: of some runs, or of every experiment."""
    if not references:
        return tracking_uri(), lists_of_runs(tracking_uri())
    folders = [find_run(reference) for reference in references]
    records = [read_run(folder) for folder in folders]
    stores = {record.tracking and uri_of(record.tracking) for record in records}
    if len(stores) > 1 or None in stores:
        raise RunError("these runs are not in one MLflow store: name those of one")
    page = comparison_page(folders) if len(folders) > 1 else page_of(records[0], folders[0])
    if page is None:
        raise RunError("MLflow has not got all of this yet: mlp sync sends what it lacks")
    return str(stores.pop()), {", ".join(record.name for record in records): page}


def _show(address: str, found: dict[str, str]) -> None:
    width = max(map(len, found), default=0)
    for name, page in found.items() or [("MLflow", EXPERIMENTS)]:
        print(f"{name:{width}}  {address}{page}", flush=True)


if __name__ == "__main__":
    main()
