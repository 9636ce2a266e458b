"""Write one HTML page about a run or a sweep, to be read offline, sent, or kept.

Of a sweep: leaderboard, learning curves, parallel coordinates, importances, verdicts, the best run.
Of a run: results, learning curves, figures, what differs from the defaults. Of both: provenance,
and the command that repeats it. A sweep that ends has its report already.
"""

from pathlib import Path

from mlp.base import Parser, command
from mlp.config import unusual_keys
from mlp.reports import write_run_report, write_sweep_report
from mlp.runs import (
    SweepRecord,
    find_run,
    mark_orphaned_runs,
    read_config,
    read_leaderboard,
    read_run,
)

WHICH = "latest, best, an id or its beginning, a name, a folder"


@command
def main() -> None:
    """Write the report that the command line asks for."""
    parser = Parser("mlp report", description=__doc__)
    parser.add_argument("reference", metavar="RUN|SWEEP", help=WHICH)
    parser.add_argument(
        "--output",
        type=Path,
        metavar="FILE",
        help="where to write it (default: report.html in the folder of the run or the sweep)",
    )
    arguments = parser.parse_args()
    mark_orphaned_runs()
    folder = find_run(arguments.reference)
    path = arguments.output or folder.report
    if isinstance(record := read_run(folder), SweepRecord):
        write_sweep_report(folder, read_leaderboard([record.id]), path)
    else:
        write_run_report(folder, path, unusual_keys(read_config(folder)))
    print(f"report  {path}")


if __name__ == "__main__":
    main()
