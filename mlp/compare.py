"""Show a leaderboard, or runs side by side; say which is better.

Runs are compared by their configurations, environments, results and curves; those of equal seeds
make pairs, which are tested for a difference.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path

from rich.console import Console as Terminal
from rich.text import Text

from mlp import runs
from mlp.base import Parser, RunError, command, relative, runs_dir
from mlp.reports import (
    show_comparison,
    show_summary,
    show_verdicts,
    wide_terminal,
    write_summary,
)
from mlp.runs import Side, SweepRecord


@command
def main() -> None:
    """Compare what the command line names."""
    parser = Parser(
        "mlp compare",
        description=__doc__,
        epilog="A name, an id or its beginning, a folder; 'best' is a run, 'latest' what was "
        "started last, 'latest' alone the latest sweep. SWEEP#2 is the second setting of its "
        "leaderboard. A preset stands for its runs and, beside a run, a sweep for its best "
        "setting.",
    )
    parser.add_argument(
        "references", nargs="+", metavar="SWEEP|SWEEP#N|RUN|PRESET", help="what to compare"
    )
    parser.add_argument(
        "--metric",
        help="what ranks them, at each run's best epoch, as in val/accuracy "
        "(default: what they monitored; a verdict is on the test set where all were tested)",
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
        To sweeps only, or to two or more others, as `mlp.runs.find_sides` takes them.
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
    found = runs.find_sides(references)
    sweeps = [record for record in found if isinstance(record, SweepRecord)]
    if len(sweeps) == len(found):
        _compare_sweeps(sweeps, terminal, metric, max_rows)
        return
    sides = [_best_setting(side) if isinstance(side, SweepRecord) else side for side in found]
    if len(sides) == 1:
        what = "run" if len(sides[0].runs) == 1 else "setting"
        raise RunError(f"{references[0]!r} is one {what}; name another one to compare it with")
    first = [min(side.runs, key=lambda run: run.repetition).folder for side in sides]
    names = [side.name + (f" (1 of {n})" if (n := len(side.runs)) > 1 else "") for side in sides]
    show_comparison(first, names, terminal, metric, _place(folder.path.name for folder in first))
    terminal.print()
    show_verdicts(sides, terminal, metric)


def _best_setting(record: SweepRecord) -> Side:
    """Return the runs of a sweep's best setting."""
    return runs.side_of(runs.read_leaderboard([record.id]), 1, record.name)


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
    alone = len(ids) == 1 and metric is None  # then these are the sweep's own files
    into = runs_dir() / ids[0] if alone else _place([*ids, *filter(None, [metric])])
    places = {"figures and CSV": str(relative(into))}
    show_summary(board, terminal, places, max_rows, metric)
    write_summary(board, into)


def _place(words: Iterable[str]) -> Path:
    """Return the folder of a comparison's files, named by the runs and what ranks them."""
    name = "-".join(word[:12].replace("/", "_") for word in words)
    return runs_dir() / "compared" / name[:200]


if __name__ == "__main__":
    main()
