"""The result of a sweep: its leaderboard on the terminal and in files, and what to do next."""

import json
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

from rich.console import Console as Terminal
from rich.table import Table
from rich.text import Text

from mlp import runs
from mlp.base import RunError
from mlp.reports.sweep_figures import draw_sweep_figures
from mlp.reports.terminal import fits, show_places
from mlp.reports.verdicts import show_verdicts
from mlp.runs import Leaderboard, Row, RunFolder, read_training

TOP = 5  # runs that are compared in MLflow
LAYOUTS = (False, False), (True, False), (True, True)  # brief and merged; the first that fits
logger = logging.getLogger(__name__)


def write_summary(board: Leaderboard, into: Path) -> None:
    """Write ``leaderboard.csv`` and the folder ``figures``.

    A figure that cannot be drawn is only a warning.

    Raises
    ------
    RunError
        When the files cannot be written.
    """
    try:
        into.mkdir(parents=True, exist_ok=True)
        write_leaderboard(board, into / "leaderboard.csv")
        draw_sweep_figures(into / "figures", board)
    except OSError as error:
        raise RunError(f"{into} cannot be written: {error.strerror}") from None
    except Exception as error:
        logger.warning("not all figures of %s could be drawn: %s", into, error)


def show_summary(
    board: Leaderboard,
    terminal: Terminal,
    places: Mapping[str, str],
    max_rows: int = 20,
    metric: str | None = None,
) -> None:
    """Print the leaderboard, a verdict on the best two settings, and commands to go on with.

    Parameters
    ----------
    board : Leaderboard
    terminal : rich.console.Console
    places : mapping of str to str
        Where more is to be found, by what it is.
    max_rows : int
    metric : str, optional
        Of the verdict, which only settings of several seeds get; as `compare_sides` takes it.
    """
    for brief, merged in LAYOUTS:
        table = _table(board, max_rows, brief, merged)
        if fits(table, terminal):
            break
    terminal.print(table)
    terminal.print()
    top_two = [runs.side_of(board, rank) for rank in (1, 2)[: len(board.rows)]]
    if len(top_two) == 2 and all(len(side.runs) > 1 for side in top_two):
        show_verdicts(top_two, terminal, metric)
    bests = [row.runs[0] for row in board.rows] if len(board.rows) > 1 else board.rows[0].runs
    top = [RunFolder.of(run.id) for run in bests[:TOP]]
    evaluation = {"evaluate the best": f"mlp evaluate {board.winner.id[:8]}"}
    show_places({**evaluation, **comparison_in_mlflow(top), **places}, terminal)


def _table(board: Leaderboard, max_rows: int, brief: bool, merged: bool) -> Table:
    """Return a table of at most ``max_rows`` ranked and as many unranked runs.

    A brief one leaves out epochs, times and all ids but the best run's; in a merged one all
    parameters share a column, in which lines are broken.
    """
    names = runs.short_keys(board.keys)
    table = Table(box=None, header_style="dim", padding=(0, 2, 0, 0), pad_edge=False)
    table.add_column("#", justify="right")
    for name in ["setting"] if merged else names.values():
        table.add_column(name, no_wrap=not merged, overflow="fold")
    for header in [board.metric] if brief else [board.metric, "epoch", "seconds"]:
        table.add_column(header, justify="right", no_wrap=True)
    for metric in board.test_metrics:
        table.add_column(f"test {metric}", justify="right")
    table.add_column("run", no_wrap=brief)

    def add(rank: str, params: Mapping[str, Any], metric: str, cost: list[str], *last: str) -> None:
        values = [runs.in_words(params[key]) if key in params else "" for key in board.keys]
        setting = [runs.name_of(params, names)] if merged else values
        cells = [rank, *setting, metric, *([] if brief else cost), *last]
        table.add_row(*map(Text, cells), style={"1": "bold", "": "dim"}.get(rank))

    for rank, row in enumerate(board.rows[:max_rows], 1):
        ids = [run.id[:8] for run in row.runs][: 1 if brief else None]
        cost = [f"{row.best_epoch:.0f}", f"{row.seconds:.1f}"]
        tests = [_tested(row, metric) for metric in board.test_metrics]
        add(str(rank), row.params, row.in_words(board.metric), cost, *tests, " ".join(ids))
    if board.others:
        table.add_row()
    for run in board.others[:max_rows]:
        params = board.params[run.id]
        repeated = runs.short_keys(key for key in runs.REPETITIONS if key in params)
        which = "".join(f", {name} {params[key]}" for key, name in repeated.items())
        cost = [str(run.epochs), f"{run.seconds:.1f}" if run.seconds else ""]
        tests = [""] * len(board.test_metrics)
        add("", params, run.state + which, cost, *tests, run.id[:8])
    if hidden := len(board.rows[max_rows:]) + len(board.others[max_rows:]):
        table.caption, table.caption_justify = f"and {hidden} more", "left"
    return table


def write_leaderboard(board: Leaderboard, path: Path) -> None:
    """Write the leaderboard as CSV, with full ids and unrounded numbers."""
    header = ["rank", "state", "name", *board.keys, "metric", "n", "mean", "std"]
    header += ["best epoch", "seconds", *(f"test {m}" for m in board.test_metrics), "run ids"]
    rows: list[list[Any]] = []
    for rank, row in enumerate(board.rows, 1):
        results = [len(row.values), row.mean, row.std, row.best_epoch, row.seconds]
        ids = " ".join(run.id for run in row.runs)
        tests = [fmean(row.tests(m)) if row.tests(m) else None for m in board.test_metrics]
        values = [*_values(board, row.params), board.metric, *results, *tests]
        rows.append([rank, "finished", row.name, *values, ids])
    for run in board.others:
        mean, epoch = run.metrics.get(board.metric), run.metrics.get("epoch")
        results = [None, mean, None, epoch, run.seconds]
        values = [*_values(board, board.params[run.id]), board.metric, *results]
        values += [None] * len(board.test_metrics)
        rows.append([None, run.state, run.name, *values, run.id])
    runs.write_csv(path, header, rows)


def comparison_in_mlflow(folders: Sequence[RunFolder]) -> dict[str, str]:
    """Return how to see some runs side by side in MLflow; {} if one is not to be there."""
    records = [read_training(folder) for folder in folders]
    if not all(record.tracking for record in records):
        return {}
    parents = {record.sweep and record.sweep.parent for record in records}
    if len(parents) == 1 and (parent := parents.pop()):
        return {"see them in MLflow": f"mlp ui {parent[:8]}"}
    ids = " ".join(folder.path.name[:8] for folder in folders)
    return {f"compare {len(folders)} in MLflow": f"mlp ui {ids}"}


def _values(board: Leaderboard, params: Mapping[str, Any]) -> list[str]:
    """Return values as they are written on the command line."""
    values = [params.get(key, "") for key in board.keys]
    return [value if isinstance(value, str) else json.dumps(value) for value in values]


def _tested(row: Row, metric: str) -> str:
    """Return a metric's mean on the test set, its spread, and the number of tests if not all."""
    values = row.tests(metric)
    count = f" ({len(values)})" if len(values) < len(row.runs) else ""
    return f"{runs.mean_in_words(metric, values)}{count}" if values else ""
