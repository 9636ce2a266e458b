"""Runs side by side: what differs in their configurations and environments, and their results."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console as Terminal
from rich.table import Table
from rich.text import Text

from mlp import runs
from mlp.base import RunError, relative
from mlp.reports.curves import curves
from mlp.reports.figure_style import save_figure
from mlp.reports.sweep_summary import comparison_in_mlflow
from mlp.reports.terminal import show_places
from mlp.runs import RunFolder, RunRecord
from mlp.training import higher_is_better

NARROWEST = 16  # characters of a column, if there are several tables


def show_comparison(
    folders: Sequence[RunFolder],
    names: Sequence[str],
    terminal: Terminal,
    metric: str | None,
    into: Path,
) -> None:
    """Print runs side by side, and draw their curves in the same axes.

    Parameters
    ----------
    folders : sequence of RunFolder
    names : sequence of str
        Of what they stand for, as titles.
    terminal : rich.console.Console
    metric : str, optional
        Of the curves; default: what the first run monitored.
    into : Path
        The folder of ``curves.png``, made if need be.

    Raises
    ------
    RunError
        When no run has the metric, or the figure cannot be written.
    """
    records = [runs.read_training(folder) for folder in folders]
    places = _draw_curves(folders, records, metric or records[0].monitor, into / "curves.png")
    for table in _tables(_rows(folders, names, records), terminal.width):
        terminal.print(table)
        terminal.print()
    values = zip(*(record.task for record in records), strict=True)
    facts = zip(("data", "split", "loss", "limit_batches"), values, strict=True)
    if differing := ", ".join(name for name, of in facts if len(set(of)) > 1):
        terminal.print(
            f"These runs differ in {differing}: their validation results are not comparable."
        )
        terminal.print()
    show_places(comparison_in_mlflow(folders) | places, terminal)


def _rows(
    folders: Sequence[RunFolder], names: Sequence[str], records: Sequence[RunRecord]
) -> list[list[Text]]:
    """Return a column for each run behind their titles; the best figure of each row is bold."""
    empty = [Text()] * len(records)
    rows = [
        [Text(), *(Text(name, "bold") for name in names)],
        [Text("run"), *(Text(record.id[:8]) for record in records)],
        [Text("status"), *(Text(record.status.lower()) for record in records)],
        [Text("stopped"), *(Text(record.stop_reason or "") for record in records)],
    ]
    configs = [
        {} if record.members else runs.read_config(folder)  # an ensemble has no single one
        for folder, record in zip(folders, records, strict=True)
    ]
    for title, columns in {
        "configuration": runs.differing_params(configs),
        "environment": runs.differing_params([_environment(record) for record in records]),
        "result": [_results(record) for record in records],
    }.items():
        keys = dict.fromkeys(key for own in columns for key in own)
        same = [Text("" if keys else "the same", "dim"), *empty[1:]]
        rows += [[Text(), *empty], [Text(title, "dim"), *same]]
        rows += [[Text(key), *_cells(key, columns)] for key in keys]
    return rows


def _tables(rows: Sequence[Sequence[Text]], width: int) -> Iterator[Table]:
    """Yield a table, or several with as many of the columns as a width has room for."""
    titles = max(len(row[0]) for row in rows)
    n = max(1, (width - titles - 2) // (NARROWEST + 2))
    for first in range(1, len(rows[0]), n):
        table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
        table.add_column(no_wrap=True, min_width=titles)
        for _ in rows[0][first : first + n]:
            table.add_column(overflow="fold")
        for row in rows:
            table.add_row(row[0], *row[first : first + n])
        yield table


def _draw_curves(
    folders: Sequence[RunFolder], records: Sequence[RunRecord], metric: str, path: Path
) -> dict[str, str]:
    """Draw what histories there are; return where the figure is, {} without one."""
    groups = {}
    for folder, record in zip(folders, records, strict=True):
        if history := runs.read_history(folder):
            groups[f"{record.name} ({record.id[:8]})"] = [history]
    known = sorted({key for [rows] in groups.values() for key in rows[0] if "/" in key})
    if not groups:
        return {}
    if metric not in known:
        raise RunError(f"no run has the metric {metric!r}; there are {', '.join(known)}")
    try:
        save_figure(curves(groups, metric), path)
    except OSError as error:
        raise RunError(f"{path} cannot be written: {error.strerror}") from None
    return {"curves": str(relative(path))}


def _environment(record: RunRecord) -> dict[str, Any]:
    """Return what a result depends on besides the configuration, hashes cut short."""
    environment = record.provenance.model_dump()
    git = environment["git"] or {"commit": "none"}
    git["commit"] = git["commit"][:10]
    return {**environment, "git": git, "data": record.data.digest[:10]}


def _results(record: RunRecord) -> dict[str, float]:
    """Return the metrics of the best epoch and of the evaluations, and the cost of the training."""
    best = {"best epoch": record.best.epoch} if record.best else {}
    return {**best, **record.final_metrics, "epochs": record.epochs, "seconds": record.seconds}


def _cells(key: str, columns: Sequence[Mapping[str, Any]]) -> list[Text]:
    """Return a row; the best value of a metric is bold."""
    if "/" not in key:
        return [Text(runs.in_words(own[key]) if key in own else "") for own in columns]
    best = (max if higher_is_better(key) else min)(own[key] for own in columns if key in own)
    values = [own.get(key) for own in columns]
    words = ["" if value is None else runs.metric_in_words(key, value) for value in values]
    return [Text(w, "bold" if v == best else "") for w, v in zip(words, values, strict=True)]
