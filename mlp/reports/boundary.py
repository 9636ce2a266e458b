"""The decision boundary of a network with two inputs, over the epochs of its training."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

import mlp.reports.figure_style as style
from mlp.reports.curves import COLOURS
from mlp.training import Predictor

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

GRID = 150  # points along each axis at which a network is asked
COLUMNS = 3
MAX_NAMES = 6  # in the legend
MAX_POINTS = 500  # more would hide what is beneath


def draw_boundary(
    into: Path,
    predictors: Mapping[str, Predictor],
    x: np.ndarray,
    y: np.ndarray,
    axis_names: Sequence[str],
) -> None:
    """Write ``boundary.png``, see `boundary`."""
    style.save_figure(boundary(predictors, x, y, axis_names), into / "boundary.png")


def boundary(
    predictors: Mapping[str, Predictor], x: np.ndarray, y: np.ndarray, axis_names: Sequence[str]
) -> "Figure":
    """Return a panel for each predictor: how it divides the plane, and points on top.

    Parameters
    ----------
    predictors : mapping of str to Predictor
        Of classes from two raw inputs, by the title of their panel.
    x : ndarray of shape (n, 2)
        Raw inputs; of many, some are drawn.
    y : ndarray of shape (n,), int64
        Their classes.
    axis_names : sequence of str
        Of the two inputs.
    """
    columns = min(COLUMNS, len(predictors))
    rows = -(-len(predictors) // columns)
    height = rows * style.WIDTH / columns + 0.8
    figure, panels = style.subplots(height, rows, columns, squeeze=False, sharex=True, sharey=True)
    low, high = np.nanmin(x, axis=0), np.nanmax(x, axis=0)
    margin = np.where(high > low, 0.08 * (high - low), 1.0)
    ticks = np.linspace(low - margin, high + margin, GRID)  # (GRID, 2)
    names = next(iter(predictors.values())).names
    colours = [COLOURS[c % len(COLOURS)] for c in range(len(names))]
    some = np.unique(np.linspace(0, len(x) - 1, MAX_POINTS).astype(int))
    for axes, (title, predictor) in zip(panels.flat, predictors.items(), strict=False):
        _draw_regions(axes, predictor, ticks, colours)
        dots = [
            axes.scatter(
                *x[some][y[some] == c].T, s=9, c=colour, edgecolors="white", linewidths=0.4
            )
            for c, colour in enumerate(colours)
        ]
        axes.set_title(title, fontsize="medium")
    for axes in panels.flat[len(predictors) :]:
        axes.axis("off")
    figure.supxlabel(axis_names[0], fontsize="medium")
    figure.supylabel(axis_names[1], fontsize="medium")
    shown = [style.truncated(name) for name in names[:MAX_NAMES]]
    options: dict[str, Any] = {
        "ncols": MAX_NAMES,
        "markerscale": 2,
        "handletextpad": 0.1,
        "frameon": False,
    }
    figure.legend(dots[:MAX_NAMES], shown, loc="outside upper center", **options)
    return figure


def _draw_regions(
    axes: "Axes", predictor: Predictor, ticks: np.ndarray, colours: Sequence[str]
) -> None:
    """Mix the classes' colours by their scores, and draw a line where the winner changes."""
    from matplotlib.colors import to_rgb

    grid = np.stack(np.meshgrid(*ticks.T), axis=-1)
    scores = predictor.predict_proba(grid.reshape(-1, 2)).reshape(GRID, GRID, -1)
    shares = np.clip(scores, 0, 1)
    shares /= np.maximum(shares.sum(axis=-1, keepdims=True), 1e-12)
    mixed = shares @ np.array([to_rgb(colour) for colour in colours])
    extent = (*ticks[[0, -1], 0], *ticks[[0, -1], 1])
    pale = 1 - 0.45 * (1 - mixed)  # beneath the points
    axes.imshow(pale, origin="lower", extent=extent, aspect="auto", interpolation="bilinear")
    for c in range(len(colours) if len(colours) > 2 else 1):
        lead = scores[..., c] - np.delete(scores, c, axis=-1).max(axis=-1)
        if lead.min() < 0 < lead.max():
            axes.contour(*ticks.T, lead, levels=[0], colors="#222222", linewidths=1.2)
