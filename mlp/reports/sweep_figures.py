"""The figures of a sweep: curves of the best, each parameter against the metric, importances."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

import mlp.reports.figure_style as style
from mlp.reports.axis_scales import clip_outliers, number_scale, scale
from mlp.reports.curves import curves
from mlp.runs import Leaderboard, RunFolder, read_history, short_keys

if TYPE_CHECKING:
    from matplotlib.figure import Figure

TOP = 6  # rows of the leaderboard whose curves are drawn
COLUMNS = 3
ABSENT = "–"  # where a parameter does not apply


def draw_sweep_figures(into: Path, board: Leaderboard) -> None:
    """Write ``curves.png`` and, where parameters differ, ``axes.png`` and ``parallel.png``.

    Parameters
    ----------
    into : Path
        A folder, made if need be.
    board : Leaderboard
    """
    params, values = [row.params for row in board.rows], [row.mean for row in board.rows]
    _, outliers = clip_outliers(values)
    top = [row for row, far in zip(board.rows, outliers, strict=True) if not far][:TOP]
    groups = {
        f"{rank}. {row.name}": [read_history(RunFolder.of(run.id)) for run in row.runs]
        for rank, row in enumerate(top, 1)
    }
    style.save_figure(curves(groups, board.metric), into / "curves.png")
    if len(board.rows) > 1:
        style.save_figure(axes_against_metric(params, values, board.metric), into / "axes.png")
        style.save_figure(parallel_coordinates(params, values, board.metric), into / "parallel.png")


def axes_against_metric(
    params: Sequence[Mapping[str, Any]], values: Sequence[float], metric: str
) -> "Figure":
    """Return a panel for each parameter: its values across, the metric up, the best one marked.

    Parameters
    ----------
    params : sequence of mapping
        Of each setting its parameters, by dotted key; the best setting first.
    values : sequence of float
        The metric of each.
    metric : str
    """
    names, columns = _columns(params)
    n_columns = min(len(names), COLUMNS)
    n_rows = -(-len(names) // n_columns)
    figure, panels = style.subplots(
        0.3 + 2.7 * n_rows, n_rows, n_columns, squeeze=False, sharey=True
    )
    heights, outliers = clip_outliers(values)
    for axes, name, column in zip(panels.flat, names, columns, strict=False):
        laid_out = scale(column)
        places = np.array(laid_out.places)
        axes.plot(places[~outliers], heights[~outliers], "o", color=style.BLUE, alpha=0.6, ms=5)
        axes.plot(places[outliers], heights[outliers], "x", color=style.GREY, ms=6)
        axes.plot(places[0], heights[0], "*", color=style.ORANGE, ms=13, zorder=3)
        if len(laid_out.ticks) == len(set(laid_out.places)):
            medians = [np.median(heights[places == tick]) for tick in laid_out.ticks]
            axes.plot(laid_out.ticks, medians, "_", color=style.GREY, ms=18)
        crowded = sum(map(len, laid_out.labels)) > 50 // n_columns
        turned = style.slanted(30 if len(laid_out.labels) <= 6 else 60) if crowded else {}
        axes.set_xticks(laid_out.ticks, laid_out.labels, **turned)
        axes.set(xlabel=name, xlim=(-0.15, 1.15))
    for axes in panels.flat[len(names) :]:
        axes.axis("off")
    figure.supylabel(metric)
    note = f", x: beyond {heights[outliers][0]:.4g}" if outliers.any() else ""
    figure.suptitle(f"Star: the best setting, dash: the median{note}", fontsize=10)
    return figure


def parallel_coordinates(
    params: Sequence[Mapping[str, Any]], values: Sequence[float], metric: str
) -> "Figure":
    """Return a line for each setting, from parameter to parameter to the metric.

    Parameters
    ----------
    params, values, metric
        As for `axes_against_metric`.
    """
    from matplotlib import colormaps

    names, columns = _columns(params)
    heights, outliers = clip_outliers(values)
    scales = [*map(scale, columns), number_scale(heights.tolist())]
    figure, axes = style.subplots(4.2)
    lines = np.array([laid_out.places for laid_out in scales]).T  # a row for each setting
    shades = colormaps["Blues"](np.linspace(0.9, 0.25, len(values)))
    for rank in reversed(range(len(values))):
        colour, width = (shades[rank], 1.5) if rank else (style.ORANGE, 2.5)
        axes.plot(range(len(scales)), lines[rank], color=colour, linewidth=width)
    paper: dict[str, Any] = {"facecolor": "white", "edgecolor": "none", "alpha": 0.75, "pad": 1}
    for x, (laid_out, name) in enumerate(zip(scales, [*names, metric], strict=True)):
        axes.axvline(x, color=style.GREY, linewidth=0.8)
        height = 1.12 if len(scales) > 6 and x % 2 else 1.05  # many names overlap in one line
        axes.text(x, height, name, ha="center", va="bottom", fontweight="bold")
        beside, side = (x + 0.02, "left") if x == len(names) else (x - 0.02, "right")
        for place, label in zip(laid_out.ticks, laid_out.labels, strict=True):
            axes.text(beside, place, label, ha=side, va="center", fontsize=8, bbox=paper)
    axes.set_ylim(-0.05, 1.05)
    axes.axis("off")
    note = f"; at the end of its axis: beyond {heights[outliers][0]:.4g}" if outliers.any() else ""
    axes.set_title(f"{len(values)} settings, the darker the better{note}", pad=36, fontsize=10)
    return figure


def _columns(params: Sequence[Mapping[str, Any]]) -> tuple[list[str], list[list[Any]]]:
    """Return the short name of each parameter, and its value in each setting."""
    names = short_keys(dict.fromkeys(key for own in params for key in own))
    return list(names.values()), [[own.get(key, ABSENT) for own in params] for key in names]


@style.styled()
def importances(shares: Mapping[str, float]) -> "Figure":
    """Return how much each parameter of a search matters for a good value.

    Parameters
    ----------
    shares : mapping of str to float
        By dotted key, in [0, 1], the largest first.
    """
    figure, axes = style.subplots(1.2 + 0.35 * len(shares))
    bars = axes.barh(list(short_keys(shares).values()), list(shares.values()), color=style.BLUE)
    axes.bar_label(bars, fmt="{:.0%}", padding=4)
    axes.invert_yaxis()
    axes.set(xlim=(0, 1.1 * max(shares.values())), title="Importance of the parameters")
    axes.xaxis.set_visible(False)
    axes.spines[["top", "right", "bottom"]].set_visible(False)
    return figure
