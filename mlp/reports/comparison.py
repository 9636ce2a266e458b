"""Runs side by side: what differs in their configurations and environments, and their results."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.table import Table
from rich.text import Text

from mlp.base import RunError
from mlp.reports.figure_style import save_figure
from mlp.reports.sweep_figures import curves
from mlp.runs import (
    RunFolder,
    RunRecord,
    differing_params,
    in_words,
    metric_in_words,
    read_config,
    read_history,
)
from mlp.training import higher_is_better


def comparison_table(folders: Sequence[RunFolder], records: Sequence[RunRecord]) -> Table:
    """Return a table with a column for each run; the best figure of each row is bold."""
    table = Table(box=None, padding=(0, 2, 0, 0))
    table.add_column()
    for record in records:
        table.add_column(Text(record.name))
    table.add_row("run", *(record.id[:8] for record in records))
    table.add_row("status", *(record.status.lower() for record in records))
    table.add_row("stopped", *(Text(record.stop_reason or "") for record in records))
    for title, values in {
        "configuration": differing_params([read_config(folder) for folder in folders]),
        "environment": differing_params([_environment(record) for record in records]),
    }.items():
        keys = dict.fromkeys(key for own in values for key in own)
        table.add_row()
        table.add_row(Text(title, "dim"), Text("" if keys else "the same", "dim"))
        for key in keys:
            table.add_row(key, *(Text(in_words(own[key]) if key in own else "") for own in values))
    table.add_row()
    table.add_row(Text("result", "dim"))
    results = [_results(record) for record in records]
    for key in dict.fromkeys(key for own in results for key in own):
        table.add_row(key, *_cells(key, [own.get(key) for own in results]))
    return table


def draw_side_by_side(
    folders: Sequence[RunFolder], records: Sequence[RunRecord], metric: str | None, path: Path
) -> bool:
    """Draw the curves of the runs in the same axes; False if there are none.

    Parameters
    ----------
    folders : sequence of RunFolder
    records : sequence of RunRecord
        In the same order.
    metric : str, optional
        Default: what the first run monitored.
    path : Path
        Of the PNG file.

    Raises
    ------
    RunError
        When no run has the metric.
    """
    metric = metric or records[0].monitor
    histories = [read_history(folder) for folder in folders]
    known = sorted({key for rows in histories for row in rows[:1] for key in row if "/" in key})
    if known and metric not in known:
        raise RunError(f"no run has the metric {metric!r}; there are {', '.join(known)}")
    names = [f"{record.name} ({record.id[:8]})" for record in records]
    groups = {name: [history] for name, history in zip(names, histories, strict=True) if history}
    if groups:
        try:
            save_figure(curves(groups, metric), path)
        except OSError as error:
            raise RunError(f"{path} cannot be written: {error.strerror}") from None
    return bool(groups)


def _environment(record: RunRecord) -> dict[str, Any]:
    """Return what a result depends on besides the configuration, hashes cut short."""
    environment = record.provenance.model_dump()
    git = environment["git"] or {"commit": "none"}
    git["commit"] = git["commit"][:10]
    return {**environment, "git": git, "data": record.data.digest[:10]}


def _results(record: RunRecord) -> dict[str, float | None]:
    """Return the metrics of the best epoch and of the evaluations, and the cost of the training."""
    results = {
        f"{part}/{metric}": value
        for part, values in record.results.items()
        for metric, value in values.items()
    }
    cost = {"epochs": record.epochs, "seconds": record.seconds}
    return {"best epoch": record.metrics.get("epoch"), **results, **cost}


def _cells(key: str, values: Sequence[float | None]) -> list[Text]:
    """Return a row of numbers; among metrics of a part of the data the best is bold."""
    if "/" not in key:
        return [Text("" if value is None else f"{value:.4g}") for value in values]
    best = (max if higher_is_better(key) else min)(v for v in values if v is not None)
    words = ["" if v is None else metric_in_words(key, v) for v in values]
    return [Text(w, "bold" if v == best else "") for w, v in zip(words, values, strict=True)]
