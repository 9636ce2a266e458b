"""The figure of what looks inside a network in training have seen."""

from collections.abc import Callable, Mapping, Sequence
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

import mlp.reports.figure_style as style
from mlp.reports.curves import PARTS, scale_log, scale_loss
from mlp.training import Inspection, LayerState

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLUMNS = 3
MAX_HISTOGRAMS = 6
USUAL_STEP = 1e-3  # of the weights
TINY = 1e-12  # the width of bins where all values are the same
History = Sequence[Mapping[str, float]]


def draw_inspection(into: Path, looks: Sequence[Inspection], history: History) -> None:
    """Write ``inspection.png``, see `inspection`."""
    style.save_figure(inspection(looks, history), into / "inspection.png")


@style.styled()
def inspection(looks: Sequence[Inspection], history: History) -> "Figure":
    """Return the loss, and of each layer dead units, gradients, steps and activations.

    Parameters
    ----------
    looks : sequence of Inspection
        At least one, in the order of their epochs.
    history : sequence of mapping
        The metrics of each epoch, with its number under ``epoch``.
    """
    from matplotlib.ticker import MaxNLocator

    last = len(looks[0].layers) - 1
    shown = [*range(min(last, MAX_HISTOGRAMS - 1)), last]
    n_rows = -(-len(shown) // COLUMNS)
    heights = 5.4, 0.7 + 2 * n_rows
    figure = style.new_figure(sum(heights))
    grid = figure.add_gridspec(2, 1, height_ratios=heights)
    above, below = figure.add_subfigure(grid[0]), figure.add_subfigure(grid[1])
    panels = above.subplots(2, 2, sharex=True)
    panels[0, 0].xaxis.set_major_locator(MaxNLocator("auto", integer=True))
    colours = _colours(last + 1)
    _draw_loss(panels[0, 0], looks, history)
    _draw_layers(panels[0, 1], looks, lambda layer: layer.dead, colours)
    panels[0, 1].set(title="Dead or saturated units, share", ylim=(-0.03, 1.03))
    if not panels[0, 1].lines:
        place = {"x": 0.5, "y": 0.5, "ha": "center", "transform": panels[0, 1].transAxes}
        panels[0, 1].text(s="no layer has units that can die", **place)
    _draw_layers(panels[1, 0], looks, lambda layer: layer.gradient_rms, colours)
    panels[1, 0].set(title="Gradient, RMS", xlabel="epoch")
    _draw_layers(panels[1, 1], looks, lambda layer: layer.update_ratio, colours)
    panels[1, 1].axhline(USUAL_STEP, color=style.GREY, ls="--", lw=1, zorder=1)
    panels[1, 1].set(title="Step / weights, RMS (0.001 is usual)", xlabel="epoch")
    for axes in panels[1]:
        scale_log(axes)
    lines = panels[1, 0].get_legend_handles_labels()
    above.legend(*lines, loc="outside lower center", ncols=4)
    cells = below.subplots(n_rows, COLUMNS, squeeze=False)
    below.suptitle("How the activations are distributed")
    for axes, place in zip(cells.flat, shown, strict=False):
        _draw_histograms(axes, looks, place, colours[place])
    for axes in cells.flat[len(shown) :]:
        axes.axis("off")
    for axes in cells[:, 0]:
        axes.set_ylabel("density")
    lines = cells[0, 0].get_legend_handles_labels()
    below.legend(*lines, loc="outside lower center", ncols=3)
    return figure


def _colours(n: int) -> Sequence[Any]:
    """Return a colour for each layer, from the first to the last; bright yellow is left out."""
    from matplotlib import colormaps

    return list(colormaps["viridis"](np.linspace(0, 0.85, n)))


def _draw_loss(axes: "Axes", looks: Sequence[Inspection], history: History) -> None:
    """Draw both losses, the one before the training, and that of a constant answer."""
    first = looks[0]
    for part, name, colour in PARTS:
        points = [(row["epoch"], row[f"{part}/loss"]) for row in history if f"{part}/loss" in row]
        if part == "train" and not first.epoch:
            points.insert(0, (0, first.loss))
        if points:
            axes.plot(*zip(*points, strict=True), ".-", color=colour, label=name, markersize=5)
    chance = first.facts.chance_loss if first.facts else None
    if chance:
        label = f"a constant answer: {chance:.3g}"
        axes.axhline(chance, color=style.GREY, ls="--", lw=1, label=label)
    axes.set_title("Loss")
    scale_loss(axes)
    axes.legend(frameon=True, framealpha=0.7, edgecolor="none")


def _draw_layers(
    axes: "Axes",
    looks: Sequence[Inspection],
    value: Callable[[LayerState], float | None],
    colours: Sequence[Any],
) -> None:
    """Draw a number of each layer over the epochs."""
    for place, colour in enumerate(colours):
        points = [(look.epoch, value(look.layers[place])) for look in looks]
        points = [(epoch, v) for epoch, v in points if v is not None and isfinite(v)]
        if points:
            label = _name(looks[0].layers, place)
            axes.plot(*zip(*points, strict=True), ".-", color=colour, label=label, markersize=5)


def _draw_histograms(axes: "Axes", looks: Sequence[Inspection], place: int, colour: Any) -> None:
    """Draw how often each activation occurs: before the training in grey, half-way, at the end."""
    chosen = {0: (style.GREY, 1.0), len(looks) // 2: (colour, 1.0), len(looks) - 1: (colour, 2.0)}
    for number, (shade, width) in chosen.items():
        look, layer = looks[number], looks[number].layers[place]
        if not layer.counts:
            continue
        edges = np.linspace(layer.low, layer.high, len(layer.counts) + 1)
        density = np.array(layer.counts) / sum(layer.counts) / (np.diff(edges) + TINY)
        label = f"after epoch {look.epoch}" if look.epoch else "before the training"
        axes.stairs(density, edges, color=shade, lw=width, label=label)
    axes.set_title(_name(looks[0].layers, place))
    axes.set_yscale("log")


def _name(layers: Sequence[LayerState], place: int) -> str:
    layer = layers[place]
    if place == len(layers) - 1:
        return f"{layer.number}: {layer.n_units} output{'s' * (layer.n_units > 1)}"
    return f"{layer.number}: {layer.n_units} {layer.activation or 'maxout'}"
