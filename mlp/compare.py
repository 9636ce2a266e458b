"""Show the leaderboard of sweeps, or two or more runs side by side.

Runs are compared by their configurations, environments, results and curves.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path

from rich.console import Console as Terminal
from rich.text import Text

from mlp import runs
from mlp.base import Parser, RunError, command, runs_dir
from mlp.reports import show_comparison, show_places, show_summary, wide_terminal, write_summary
from mlp.runs import SweepRecord


@command
def main() -> None:
    """Compare what the command line names."""
    parser = Parser(
        "mlp compare",
        description=__doc__,
        epilog="A name, an id or its beginning, a folder; 'best' and 'latest' are runs, 'latest' "
        "alone is the latest sweep. Beside a run, a sweep stands for its best run.",
    )
    parser.add_argument("references", nargs="+", metavar="SWEEP|RUN", help="what to compare")
    parser.add_argument(
        "--metric",
        help="what ranks them, at each run's best epoch, as in val/accuracy "
        "(default: what they monitored)",
    )
    parser.add_argument("--top", type=int, default=20, help="rows to show (default: 20)")
    arguments = parser.parse_args()
    if arguments.top < 1:
        parser.error(f"--top must be at least 1, got {arguments.top}")
    runs.mark_orphaned_runs()
    compare(arguments.references, wide_terminal(), arguments.metric, arguments.top)


def compare(
    references: Sequence[str], terminal: Terminal, metric: str | None, max_rows: int
) -> None:
    """Print a comparison, and write its figures.

    Parameters
    ----------
    references : sequence of str
        To sweeps only, or to two or more runs, as `mlp.runs.find_run` takes them.
    terminal : rich.console.Console
    metric : str or None
        By default what all runs monitored.
    max_rows : int
        Of a leaderboard.

    Raises
    ------
    RunError
        When a reference is unknown or ambiguous, or there is nothing to compare.
    """
    folders = runs.find_runs_or_sweeps(references)
    records = [runs.read_run(folder) for folder in folders]
    sweeps = [record for record in records if isinstance(record, SweepRecord)]
    if len(sweeps) == len(records):
        _compare_sweeps(sweeps, terminal, metric, max_rows)
    elif len(records) > 1:
        trainings = [runs.training_of(folder) for folder in folders]
        show_comparison(
            trainings, terminal, metric, _place(folder.path.name for folder in trainings)
        )
    else:
        raise RunError(f"{references[0]!r} is one run; name another one to compare it with")


def _compare_sweeps(
    records: Sequence[SweepRecord], terminal: Terminal, metric: str | None, max_rows: int
) -> None:
    ids = [record.id for record in records]
    board = runs.read_leaderboard(ids, metric)
    n_all = 0
    for record in records:
        counts = runs.Children(record.id).counts()
        n_all += sum(counts.values())
        n_jobs = record.n_jobs or sum(counts.values())  # a search knows them only afterwards
        states = ", ".join(f"{n} {state}" for state, n in counts.items() if n)
        jobs = f"{record.status.lower()}, {n_jobs} jobs: {states}"
        terminal.print(Text.assemble((record.name, "bold"), f"  {jobs}"))
    if n_twice := n_all - board.n_runs:
        terminal.print(f"{n_twice} jobs are the same in several sweeps, and shown once")
    terminal.print()
    show_summary(board, terminal, max_rows)
    alone = len(ids) == 1 and metric is None  # then these are the sweep's own files
    into = runs_dir() / ids[0] if alone else _place([*ids, *filter(None, [metric])])
    write_summary(board, into)
    show_places({"figures and CSV": str(into)}, terminal)


def _place(words: Iterable[str]) -> Path:
    """Return the folder of a comparison's files, named by the runs and what ranks them."""
    name = "-".join(word[:12].replace("/", "_") for word in words)
    return runs_dir() / "compared" / name[:200]


if __name__ == "__main__":
    main()
