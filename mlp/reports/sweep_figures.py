"""The figures of a sweep: curves of the best, each axis against the metric, parallel coordinates.

Each function takes plain values and returns a Figure of its own.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mlp.reports.scales import number_scale, scale, without_outliers
from mlp.reports.style import (
    BLUE,
    GREY,
    ORANGE,
    bare,
    epochs_along,
    new_figure,
    save_figure,
    shortened,
)
from mlp.runs import Leaderboard, read_history, short_keys
from mlp.training import higher_is_better

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

TOP = 6  # rows of the leaderboard whose curves are drawn
COLOURS = (ORANGE, BLUE, "#3a9a5b", "#8a5fb5", "#c0504d", "#8c8c8c")
COLUMNS = 3
ABSENT = "–"  # where a parameter does not apply
History = Sequence[Mapping[str, float]]


def draw_sweep_figures(into: Path, board: Leaderboard) -> None:
    """Write ``curves.png`` and, where parameters differ, ``axes.png`` and ``parallel.png``.

    Parameters
    ----------
    into : Path
        A folder, made if need be.
    board : Leaderboard
    """
    params, values = [row.params for row in board.rows], [row.mean for row in board.rows]
    _, beyond = without_outliers(values)
    top = [row for row, far in zip(board.rows, beyond, strict=True) if not far][:TOP]
    groups = {
        f"{rank}. {row.name}": [read_history(entry.folder) for entry in row.entries]
        for rank, row in enumerate(top, 1)
    }
    save_figure(curves(groups, board.metric), into / "curves.png")
    if len(board.rows) > 1:
        save_figure(axes_against_metric(params, values, board.metric), into / "axes.png")
        save_figure(parallel_coordinates(params, values, board.metric), into / "parallel.png")


def curves(groups: Mapping[str, Sequence[History]], metric: str) -> "Figure":
    """Return a metric and its companion over the epochs, runs over each other.

    Parameters
    ----------
    groups : mapping of str to sequence of history
        A few, by name, the best first. The runs of a group, its seeds, are drawn faintly under
        their mean, which ends where the first of them does and has a dot where it is best.
    metric : str
        ``val/loss``: ``val/accuracy`` is drawn beside it.
    """
    part, _, kind = metric.partition("/")
    companion = f"{part}/{'loss' if kind == 'accuracy' else 'accuracy'}"
    n_columns = 2 if max(map(len, groups)) <= 45 else 1
    figure = new_figure(3.3 + 0.22 * -(-len(groups) // n_columns))
    for axes, shown in zip(figure.subplots(1, 2), (metric, companion), strict=True):
        for i, (name, histories) in enumerate(groups.items()):
            line = {"color": COLOURS[i % len(COLOURS)], "zorder": 3 - 0.1 * i}
            _draw_seeds(axes, histories, shown, shortened(name, 95), line)
        axes.set_title(shown)
        epochs_along(axes)
        _suit_losses(axes, shown)
    handles, names = axes.get_legend_handles_labels()
    figure.legend(
        handles, names, loc="outside lower center", ncols=n_columns, frameon=False, fontsize=9
    )
    return figure


def _draw_seeds(
    axes: "Axes", histories: Sequence[History], metric: str, name: str, style: Mapping[str, Any]
) -> None:
    series = [[row[metric] for row in history if metric in row] for history in histories]
    series = [values for values in series if values]
    if not series:
        return
    mean = np.mean([s[: min(map(len, series))] for s in series], axis=0)
    if len(series) > 1:
        for values in series:
            axes.plot(range(1, len(values) + 1), values, linewidth=0.8, alpha=0.35, **style)
    best = mean.argmax() if higher_is_better(metric) else mean.argmin()
    axes.plot(range(1, len(mean) + 1), mean, "o-", markevery=[best], label=name, **style)


def _suit_losses(axes: "Axes", metric: str) -> None:
    """Make the axis of a loss logarithmic if it falls a long way, with plain numbers on it."""
    from matplotlib.ticker import LogLocator, NullLocator

    low, high = axes.dataLim.intervaly
    if metric.endswith("loss") and 0 < 3 * low < high:
        axes.set_yscale("log")
        between = (1, 2, 3, 5, 7) if high < 30 * low else (1,)
        axes.yaxis.set_major_locator(LogLocator(subs=between))
        axes.yaxis.set_minor_locator(NullLocator())
        axes.yaxis.set_major_formatter("{x:g}")


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
    names = short_keys(dict.fromkeys(key for own in params for key in own))
    n_columns = min(len(names), COLUMNS)
    n_rows = -(-len(names) // n_columns)
    figure = new_figure(0.3 + 2.7 * n_rows)
    panels = list(figure.subplots(n_rows, n_columns, squeeze=False, sharey=True).flat)
    heights, beyond = without_outliers(values)
    for axes, (key, name) in zip(panels, names.items(), strict=False):
        where = scale([own.get(key, ABSENT) for own in params])
        places = np.array(where.places)
        axes.plot(places[~beyond], heights[~beyond], "o", color=BLUE, alpha=0.6, markersize=5)
        axes.plot(places[beyond], heights[beyond], "x", color=GREY, markersize=6)
        axes.plot(places[0], heights[0], "*", color=ORANGE, markersize=13, zorder=3)
        if len(where.ticks) == len(set(where.places)):
            medians = [np.median(heights[places == place]) for place in where.ticks]
            axes.plot(where.ticks, medians, "_", color=GREY, markersize=18)
        crowded = sum(map(len, where.labels)) > 50 // n_columns
        angle = 0 if not crowded else 30 if len(where.labels) <= 6 else 60
        turned = {"rotation": angle, "ha": "right", "rotation_mode": "anchor"} if angle else {}
        axes.set_xticks(where.ticks, where.labels, **turned)
        axes.set_xlim(-0.15, 1.15)
        axes.set_xlabel(name)
        axes.grid(alpha=0.25)
        bare(axes)
    for axes in panels[len(names) :]:
        axes.axis("off")
    figure.supylabel(metric)
    note = f", x: beyond {heights[beyond][0]:.4g}" if beyond.any() else ""
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

    names = short_keys(dict.fromkeys(key for own in params for key in own))
    scales = [scale([own.get(key, ABSENT) for own in params]) for key in names]
    heights, beyond = without_outliers(values)
    scales.append(number_scale(heights.tolist()))
    figure = new_figure(4.2)
    axes = figure.subplots()
    lines = np.array([where.places for where in scales]).T  # a row for each setting
    shades = colormaps["Blues"](np.linspace(0.9, 0.25, len(values)))
    for rank in reversed(range(len(values))):
        colour, width = (shades[rank], 1.5) if rank else (ORANGE, 2.5)
        axes.plot(range(len(scales)), lines[rank], color=colour, linewidth=width)
    paper: dict[str, Any] = {"facecolor": "white", "edgecolor": "none", "alpha": 0.75, "pad": 1}
    for x, (laid_out, name) in enumerate(zip(scales, [*names.values(), metric], strict=True)):
        last = x == len(names)
        axes.axvline(x, color=GREY, linewidth=0.8)
        storey = x % 2 if len(scales) > 6 else 0  # many names would overlap in one line
        axes.text(x, 1.05 + 0.07 * storey, name, ha="center", va="bottom", fontweight="bold")
        for place, label in zip(laid_out.ticks, laid_out.labels, strict=True):
            beside, side = (x + 0.02, "left") if last else (x - 0.02, "right")
            axes.text(beside, place, label, ha=side, va="center", fontsize=8, bbox=paper)
    axes.set_ylim(-0.05, 1.05)
    axes.axis("off")
    note = f"; at the end of its axis: beyond {heights[beyond][0]:.4g}" if beyond.any() else ""
    axes.set_title(f"{len(values)} settings, the darker the better{note}", pad=36, fontsize=10)
    return figure


def importances(shares: Mapping[str, float]) -> "Figure":
    """Return how much each parameter of a search matters for a good value.

    Parameters
    ----------
    shares : mapping of str to float
        By dotted key, in [0, 1], the largest first.
    """
    names = short_keys(shares)
    figure = new_figure(1.2 + 0.35 * len(shares))
    axes = figure.subplots()
    bars = axes.barh([names[key] for key in shares], list(shares.values()), color=BLUE)
    axes.bar_label(bars, fmt="{:.0%}", padding=4)
    axes.invert_yaxis()
    axes.set_xlim(0, 1.1 * max(shares.values()))
    axes.set_title("Importance of the parameters")
    axes.xaxis.set_visible(False)
    axes.spines[["top", "right", "bottom"]].set_visible(False)
    return figure
