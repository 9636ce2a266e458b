"""A leaderboard as it is shown: on the terminal, as CSV, and the commands that go on from it."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

from rich.table import Table

from mlp.sweep.differences import in_words, short_keys
from mlp.sweep.leaderboard import Leaderboard, Row
from mlp.tracking.folder import write_csv

UI = "http://127.0.0.1:5000"  # where `make ui` serves a store of our own


def table(board: Leaderboard, most: int = 20) -> Table:
    """Return the board for the terminal.

    Parameters
    ----------
    board : Leaderboard
    most : int
        Rows at most, and unranked runs at most.
    """
    tested = [row.test_accuracy for row in board.rows if row.test_accuracy is not None]
    shown = Table(box=None, header_style="dim", padding=(0, 2, 0, 0), caption_justify="left")
    shown.add_column("#", justify="right")
    for name in short_keys(board.keys).values():
        shown.add_column(name)
    for header in (board.metric, "epoch", "seconds", *(["test accuracy"] if tested else [])):
        shown.add_column(header, justify="right", no_wrap=True)
    shown.add_column("run")
    for rank, row in enumerate(board.rows[:most], 1):
        cells = [*_params(board, row.params), _value(board, row)]
        cells += [f"{row.best_epoch:.0f}", f"{row.seconds:.1f}"]
        if tested:
            cells.append("" if row.test_accuracy is None else f"{row.test_accuracy:.2%}")
        ids = " ".join(entry.id[:8] for entry in row.entries)
        shown.add_row(str(rank), *cells, ids, style="bold" if rank == 1 else None)
    for entry in board.others[:most]:
        seed = f", seed {entry.params['seed']}" if "seed" in entry.params else ""
        cells = [*_params(board, entry.params), f"{entry.state}{seed}"]
        cells += [str(entry.record["epochs"]), f"{entry.record['seconds'] or 0:.1f}"]
        shown.add_row("", *cells, *([""] if tested else []), entry.id[:8], style="dim")
    if hidden := len(board.rows[most:]) + len(board.others[most:]):
        shown.caption = f"and {hidden} more"
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
        figures = [board.metric, 1, entry.value(board.metric), None, best.get("epoch")]
        figures += [entry.record["seconds"], None]
        values = _cells(board, entry.params)
        rows.append([None, entry.state, entry.record["name"], *values, *figures, entry.id])
    write_csv(path, header, rows)


def commands(board: Leaderboard, most: int = 5) -> dict[str, str]:
    """Return what to type or open next, by what it does.

    Parameters
    ----------
    board : Leaderboard
    most : int
        So many of the top runs are compared in MLflow.
    """
    found = {"evaluate the best": f"python -m mlp.evaluate {board.winner.id[:8]}"}
    top = [row.entries[0].record for row in board.rows[:most]]
    if url := comparison_url(top):
        found[f"compare the top {len(top)}"] = f"make ui, then {url}" if url.startswith(UI) else url
    return found


def comparison_url(records: list[Mapping[str, Any]]) -> str | None:
    """Return the address of MLflow's page that compares some runs; None if they are not in MLflow.

    Parameters
    ----------
    records : list of mapping
        The content of each ``run.json``.
    """
    stored = [record["mlflow"] for record in records if record["mlflow"]]
    if len(stored) < 2:
        return None
    server = stored[0]["tracking_uri"]
    runs = [mlflow["run_id"] for mlflow in stored]
    experiments = sorted({mlflow["experiment_id"] for mlflow in stored})
    query = f"runs={_json(runs)}&experiments={_json(experiments)}"
    return f"{server if server.startswith('http') else UI}/#/compare-runs?{query}"


def _json(ids: list[str]) -> str:
    """Return a list as JSON in an address; in a terminal, quotes and brackets would cut it off."""
    return quote(json.dumps(ids, separators=(",", ":")), safe=",")


def _params(board: Leaderboard, params: Mapping[str, Any]) -> list[str]:
    return [in_words(params[key]) if key in params else "" for key in board.keys]


def _cells(board: Leaderboard, params: Mapping[str, Any]) -> list[str]:
    """Return values as they are written on the command line."""
    values = [params.get(key, "") for key in board.keys]
    return [value if isinstance(value, str) else json.dumps(value) for value in values]


def _value(board: Leaderboard, row: Row) -> str:
    """Return the mean, the standard deviation and the number of seeds; an accuracy in per cent."""
    form = ".2%" if board.metric.endswith("accuracy") else ".4f"
    spread = f" ± {row.std:{form}} ({len(row.values)})" if row.std is not None else ""
    return f"{row.mean:{form}}{spread}"
