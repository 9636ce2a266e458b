"""The figures of a sweep: curves of the best, each parameter against the metric, importances."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

import mlp.reports.figure_style as style
from mlp.reports.axis_scales import Scale, clip_outliers, number_scale, scale
from mlp.reports.curves import curves, scale_loss
from mlp.runs import Leaderboard, RunFolder, read_history, read_sweep, short_keys

if TYPE_CHECKING:
    from matplotlib.axes import Axes
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
    params, results = [row.params for row in board.rows], [row.values for row in board.rows]
    _, outliers, _ = heights_of(results, board.metric)
    top = [row for row, far in zip(board.rows, outliers, strict=True) if not far][:TOP]
    groups = {
        f"{rank}. {row.name}": [read_history(RunFolder.of(run.id)) for run in row.runs]
        for rank, row in enumerate(top, 1)
    }
    style.save_figure(curves(groups, board.metric), into / "curves.png")
    if len(board.rows) > 1:
        shown = params, results, board.metric, ranges_of(board)
        style.save_figure(axes_against_metric(*shown), into / "axes.png")
        style.save_figure(parallel_coordinates(*shown), into / "parallel.png")


def ranges_of(board: Leaderboard) -> dict[str, bool]:
    """Tell of each parameter that was drawn from a range whether it was by its logarithm."""
    sweeps = {run.sweep.parent for row in board.rows for run in row.runs if run.sweep}
    folders = [folder for sweep in sweeps if (folder := RunFolder.of(sweep)).record.exists()]
    axes = {key: values for folder in folders for key, values in read_sweep(folder).axes.items()}
    return {
        key: ", log" in str(words)
        for key, (words, *others) in axes.items()
        if not others and " to " in str(words)
    }


def heights_of(
    results: Sequence[Sequence[float]], metric: str
) -> tuple[np.ndarray, np.ndarray, bool]:
    """Return the mean of each setting, clipped, which are, and whether to take logarithms."""
    means = np.array([np.mean(values) for values in results])
    log = metric.endswith("loss") and bool(0 < 3 * means.min() < means.max())
    clipped, outliers = clip_outliers(np.log(means) if log else means)
    return np.exp(clipped) if log else clipped, outliers, log


@style.styled()
def axes_against_metric(
    params: Sequence[Mapping[str, Any]],
    results: Sequence[Sequence[float]],
    metric: str,
    ranges: Mapping[str, bool] = MappingProxyType({}),
) -> "Figure":
    """Return a panel for each parameter: its values across, the metric up, the best one marked.

    Parameters
    ----------
    params : sequence of mapping
        Of each setting its parameters, by dotted key; the best setting first.
    results : sequence of sequence of float
        The metric of each of its runs, which differ in their seeds.
    metric : str
    ranges : mapping of str to bool
        Of each parameter that was drawn from a range whether by its logarithm.
    """
    names, columns = columns_of(params)
    n_rows = -(-len(names) // COLUMNS)
    figure = style.new_figure(0.5 + 2.7 * n_rows)
    grid = figure.add_gridspec(n_rows, 6)  # so that rows of one, two and three fill it
    heights, outliers, log = heights_of(results, metric)
    panels: list[Axes] = []
    for row, members in enumerate(np.array_split(np.arange(len(names)), n_rows)):
        width = 6 // len(members)
        for i, number in enumerate(members):
            place = grid[row, i * width : (i + 1) * width]
            axes = figure.add_subplot(place, sharey=panels[0] if panels else None)
            laid_out = scale(columns[number], ranges.get(list(names)[number]))
            _draw_settings(axes, laid_out, heights, outliers, results)
            crowded = sum(map(len, laid_out.labels)) > 50 // len(members)
            turned = style.slanted(30 if len(laid_out.labels) <= 6 else 60) if crowded else {}
            axes.set_xticks(laid_out.ticks, laid_out.labels, **turned)
            axes.set(xlabel=list(names.values())[number], xlim=(-0.12, 1.12))
            axes.tick_params(labelleft=i == 0)
            panels.append(axes)
    if log:
        scale_loss(panels[0])
    figure.supylabel(metric, fontsize="medium")
    known = {
        label: line
        for axes in panels
        for line, label in zip(*axes.get_legend_handles_labels(), strict=True)
    }
    figure.legend(known.values(), known.keys(), loc="outside upper center", ncols=len(known))
    return figure


def _draw_settings(
    axes: "Axes",
    laid_out: Scale,
    heights: np.ndarray,
    outliers: np.ndarray,
    results: Sequence[Sequence[float]],
) -> None:
    """Draw each setting over its value of a parameter, those of the same value side by side."""
    places = np.array(laid_out.places)
    x = side_by_side(places)
    spread = np.array([len(values) > 1 for values in results]) & ~outliers
    if spread.any():
        ends = [(min(v), max(v)) for v, drawn in zip(results, spread, strict=True) if drawn]
        lines: dict[str, Any] = {"color": style.SKY, "linewidth": 2, "zorder": 1.5}
        axes.vlines(x[spread], *np.transpose(ends), label="its lowest to highest run", **lines)
    setting = "setting (mean of its runs)" if spread.any() else "setting"
    near = np.flatnonzero(~outliers)[1:]
    axes.plot(x[:1], heights[:1], "*", color=style.ORANGE, ms=13, zorder=3, label="best setting")
    dots: dict[str, Any] = {"color": style.BLUE, "ms": 5, "alpha": 0.8 if len(near) < 50 else 0.5}
    axes.plot(x[near], heights[near], "o", label=setting, **dots)
    if outliers.any():
        label = f"beyond {heights[outliers][0]:.4g}"
        axes.plot(x[outliers], heights[outliers], "x", color=style.GREY, ms=6, label=label)
    shared = [place for place in laid_out.ticks if np.count_nonzero(places == place) > 1]
    if len(laid_out.ticks) == len(set(laid_out.places)) and shared:
        medians = [np.median(heights[places == place]) for place in shared]
        axes.plot(shared, medians, "_", color=style.GREY, ms=22, label="median of the settings")


def side_by_side(places: np.ndarray) -> np.ndarray:
    """Move equal places a little apart."""
    moved = places.copy()
    for place in np.unique(places):
        same = np.flatnonzero(places == place)
        moved[same] += (np.arange(len(same)) - (len(same) - 1) / 2) * min(0.03, 0.1 / len(same))
    return moved


@style.styled()
def parallel_coordinates(
    params: Sequence[Mapping[str, Any]],
    results: Sequence[Sequence[float]],
    metric: str,
    ranges: Mapping[str, bool] = MappingProxyType({}),
) -> "Figure":
    """Return a line for each setting, from parameter to parameter to the metric.

    Parameters
    ----------
    params, results, metric, ranges
        As for `axes_against_metric`.
    """
    from matplotlib import colormaps

    names, columns = columns_of(params)
    heights, outliers, log = heights_of(results, metric)
    scales = [scale(column, ranges.get(key)) for key, column in zip(names, columns, strict=True)]
    n = len(results)
    repeated = [rank for rank in range(n) if len(results[rank]) > 1 and not outliers[rank]]
    seeds = [(rank, value) for rank in repeated for value in results[rank]]
    scales.append(number_scale([*heights.tolist(), *(value for _, value in seeds)], log))
    figure, axes = style.subplots(4.2)
    lines = np.array([laid_out.places[:n] for laid_out in scales]).T  # a row for each setting
    colours = [style.ORANGE, *colormaps["Blues"](np.linspace(0.95, 0.35, n))[1:]]
    width, alpha = (1.5, 1.0) if n <= 50 else (0.6, 0.6)
    for rank in reversed(range(1, n)):
        axes.plot(lines[rank], color=colours[rank], linewidth=width, alpha=alpha)
    axes.plot(lines[0], color=style.ORANGE, linewidth=2.5)
    for (rank, _), place in zip(seeds, scales[-1].places[n:], strict=True):
        axes.plot(len(scales) - 1, place, "o", color=colours[rank], ms=4, clip_on=False)
    paper: dict[str, Any] = {"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 1}
    staggered = len(scales) > 6  # many names overlap in one line
    titles = [*names.values(), metric]
    for x, (laid_out, name) in enumerate(zip(scales, titles, strict=True)):
        axes.axvline(x, color=style.GREY, linewidth=0.8)
        height = 1.12 if staggered and x % 2 else 1.06
        axes.text(x, height, name, ha="center", va="bottom", fontweight="bold")
        beside, side = (x + 0.02, "left") if x == len(names) else (x - 0.02, "right")
        for place, label in zip(laid_out.ticks, laid_out.labels, strict=True):
            axes.text(beside, place, label, ha=side, va="center", fontsize=8, bbox=paper)
    axes.set_ylim(-0.05, 1.05)
    axes.axis("off")
    note = f"; at the end of its axis: beyond {heights[outliers][0]:.4g}" if outliers.any() else ""
    note += "; the dots are their runs" if seeds else ""
    title = f"{n:,} settings, the darker the better, orange the best{note}"
    axes.set_title(title, pad=36 if staggered else 26)
    return figure


def columns_of(params: Sequence[Mapping[str, Any]]) -> tuple[dict[str, str], list[list[Any]]]:
    """Return the short name of each parameter by its key, and its value in each setting."""
    names = short_keys(dict.fromkeys(key for own in params for key in own))
    return names, [[own.get(key, ABSENT) for own in params] for key in names]


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
