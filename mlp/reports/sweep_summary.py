"""What a sweep has come to: its leaderboard on the terminal and in files, and where to go on."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from rich.console import Console as Terminal
from rich.table import Table
from rich.text import Text

from mlp.base import RunError
from mlp.reports.sweep_figures import draw_sweep_figures
from mlp.runs import Leaderboard, Row, in_words, name_of, short_keys, write_csv

TOP = 5  # runs that are compared in MLflow
UI = "http://127.0.0.1:5000"  # where `make ui` serves a store of our own
SIDE = "workflowType=machine_learning"  # of the UI, which opens with that for language models


def write_summary(board: Leaderboard, into: Path) -> None:
    """Write ``leaderboard.csv`` and the folder ``figures``; RunError where that is impossible."""
    try:
        into.mkdir(parents=True, exist_ok=True)
        write_leaderboard(board, into / "leaderboard.csv")
        draw_sweep_figures(into / "figures", board)
    except OSError as error:
        raise RunError(f"{into} cannot be written: {error.strerror}") from None


def show_summary(board: Leaderboard, terminal: Terminal, most: int = 20) -> None:
    """Print the table, at most so many rows of it, and where to go on from it."""
    wide = table(board, most)
    unbounded = terminal.options.update(max_width=10_000)
    fits = terminal.measure(wide, options=unbounded).maximum <= terminal.width
    terminal.print(wide if fits else table(board, most, narrow=True))
    terminal.print()
    show_places(commands(board), terminal)


def show_places(places: Mapping[str, str], terminal: Terminal) -> None:
    """Print commands, addresses and paths by what they are for, each in a line to be copied."""
    for purpose, words in places.items():
        terminal.print(Text.assemble((f"{purpose:<20}", "dim"), words), soft_wrap=True)


def table(board: Leaderboard, most: int = 20, narrow: bool = False) -> Table:
    """Return the board for the terminal.

    Parameters
    ----------
    board : Leaderboard
    most : int
        Rows at most, and unranked runs at most.
    narrow : bool
        All parameters share one column, epochs and times are left out, and only the best run's id
        is shown.
    """
    names = short_keys(board.keys)

    def setting(params: Mapping[str, Any]) -> list[str]:
        if narrow:
            return [name_of(params, names)]
        return [in_words(params[key]) if key in params else "" for key in board.keys]

    tested = ["test accuracy"] if any(r.test_accuracy is not None for r in board.rows) else []
    shown = Table(box=None, header_style="dim", padding=(0, 2, 0, 0), pad_edge=False)
    shown.add_column("#", justify="right")
    for name in ["setting"] if narrow else names.values():
        shown.add_column(name, no_wrap=not narrow, overflow="fold")
    for header in (board.metric, *([] if narrow else ["epoch", "seconds"]), *tested):
        shown.add_column(header, justify="right", no_wrap=header != "test accuracy")
    shown.add_column("run", no_wrap=narrow)
    for rank, row in enumerate(board.rows[:most], 1):
        cells = [str(rank), *setting(row.params), row.in_words(board.metric)]
        cells += [] if narrow else [f"{row.best_epoch:.0f}", f"{row.seconds:.1f}"]
        cells += [_tested(row) for _ in tested]
        runs = row.entries[:1] if narrow else row.entries  # the best one's first
        cells.append(" ".join(run.id[:8] for run in runs))
        shown.add_row(*map(Text, cells), style="bold" if rank == 1 else None)
    if board.others:
        shown.add_row()
    for entry in board.others[:most]:
        seed = f", seed {entry.params['seed']}" if "seed" in entry.params else ""
        seconds = entry.record["seconds"]
        cells = ["", *setting(entry.params), entry.state + seed]
        duration = "" if seconds is None else f"{seconds:.1f}"
        cells += [] if narrow else [str(entry.record["epochs"]), duration]
        cells += [*("" for _ in tested), entry.id[:8]]
        shown.add_row(*map(Text, cells), style="dim")
    if hidden := len(board.rows[most:]) + len(board.others[most:]):
        shown.caption, shown.caption_justify = f"and {hidden} more", "left"
    return shown


def write_leaderboard(board: Leaderboard, path: Path) -> None:
    """Write all of the board as CSV, with whole ids and whole numbers."""
    header = ["rank", "state", "name", *board.keys, "metric", "n", "mean", "std"]
    header += ["best epoch", "seconds", "test accuracy", "run ids"]
    rows: list[list[Any]] = []
    for rank, row in enumerate(board.rows, 1):
        figures = [board.metric, len(row.values), row.mean, row.std, row.best_epoch, row.seconds]
        ids = " ".join(entry.id for entry in row.entries)
        values = _cells(board, row.params)
        rows.append([rank, "finished", row.name, *values, *figures, row.test_accuracy, ids])
    for entry in board.others:
        best = entry.record["best"] or {}
        figures = [board.metric, None, entry.value(board.metric), None, best.get("epoch")]
        figures += [entry.record["seconds"], None]
        values = _cells(board, entry.params)
        rows.append([None, entry.state, entry.record["name"], *values, *figures, entry.id])
    write_csv(path, header, rows)


def commands(board: Leaderboard) -> dict[str, str]:
    """Return what evaluates the winner and what compares the top runs in MLflow."""
    top = [row.entries[0].record for row in board.rows[:TOP]]
    evaluation = {"evaluate the best": f"python -m mlp.evaluate {board.winner.id[:8]}"}
    return evaluation | comparison_in_mlflow(top)


def comparison_in_mlflow(records: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Return how to open MLflow's page that compares some runs; {} if they are not in MLflow."""
    places = [record["mlflow"] or {} for record in records]
    stored = [place for place in places if place.get("run_id")]
    if len(stored) < 2:
        return {}
    server = stored[0]["tracking_uri"]
    if not server.startswith("http"):
        server = f"make ui, then {UI}"
    experiments = sorted({mlflow["experiment_id"] for mlflow in stored})
    runs = [mlflow["run_id"] for mlflow in stored]
    page = f"{server}/#/compare-runs?runs={_json(runs)}&experiments={_json(experiments)}&{SIDE}"
    return {f"compare {len(runs)} in MLflow": page}


def _json(ids: list[str]) -> str:
    """Return a list as JSON in an address; in a terminal, quotes and brackets would cut it off."""
    return quote(json.dumps(ids, separators=(",", ":")), safe=",")


def _cells(board: Leaderboard, params: Mapping[str, Any]) -> list[str]:
    """Return values as they are written on the command line."""
    values = [params.get(key, "") for key in board.keys]
    return [value if isinstance(value, str) else json.dumps(value) for value in values]


def _tested(row: Row) -> str:
    """Return the mean test accuracy, and of how many if not of all."""
    if row.test_accuracy is None:
        return ""
    count = f" ({len(row.tests)})" if len(row.tests) < len(row.entries) else ""
    return f"{row.test_accuracy:.2%}{count}"
