"""Figures of an evaluation of numbers: predicted against true, and the residuals."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

import mlp.reports.figure_style as style
from mlp.base import counted
from mlp.data import Part
from mlp.runs import metric_in_words
from mlp.training import Evaluation

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MAX_TARGETS, COLUMNS = 6, 2
MAX_POINTS = 5_000  # drawn one by one; more are a dark cloud, and slow


@style.styled()
def predicted_against_true(
    evaluation: Evaluation, part: Part, names: Sequence[str], image_shape: Sequence[int] | None
) -> "Figure":
    """Return each prediction over the true number; right ones lie on the diagonal."""

    def draw(axes: "Axes", true: np.ndarray, predicted: np.ndarray, name: str) -> None:
        low, high = np.min([true, predicted]), np.max([true, predicted])
        axes.plot([low, high], [low, high], color=style.GREY, lw=1, ls="--", zorder=1)
        axes.scatter(true, predicted, **_points(true))
        margin = 0.03 * (high - low) or 1.0
        limits = low - margin, high + margin
        axes.set(xlabel=f"true {name}", ylabel=f"predicted {name}", xlim=limits, ylim=limits)
        axes.set_box_aspect(1)

    title = f"R² = {evaluation.metrics['r2']:.3f} on {counted(len(evaluation.labels), 'example')}"
    return _by_target(evaluation, names, draw, 4.6, title)


@style.styled()
def residuals(
    evaluation: Evaluation, part: Part, names: Sequence[str], image_shape: Sequence[int] | None
) -> "Figure":
    """Return true minus predicted over the prediction; without structure if all is well."""

    def draw(axes: "Axes", true: np.ndarray, predicted: np.ndarray, name: str) -> None:
        axes.axhline(0, color=style.GREY, lw=1, ls="--", zorder=1)
        axes.scatter(predicted, true - predicted, **_points(true))
        axes.set(xlabel=f"predicted {name}", ylabel="true − predicted")

    rmse = metric_in_words("rmse", evaluation.metrics["rmse"])
    title = f"RMSE = {rmse} on {counted(len(evaluation.labels), 'example')}"
    return _by_target(evaluation, names, draw, 3.6, title)


def _points(values: np.ndarray) -> dict[str, Any]:
    """Return how to draw so many points that they are told apart."""
    alpha = float(np.clip(30 / np.sqrt(len(values)), 0.15, 0.8))
    return {"s": 14, "alpha": alpha, "color": style.BLUE, "linewidths": 0, "zorder": 2}


def _by_target(
    evaluation: Evaluation,
    names: Sequence[str],
    draw: Callable[["Axes", np.ndarray, np.ndarray, str], None],
    height: float,
    title: str,
) -> "Figure":
    """Return a panel for each of the first targets; of many examples, some evenly chosen ones."""
    shown = list(names[:MAX_TARGETS])
    columns = min(COLUMNS, len(shown))
    rows = -(-len(shown) // columns)
    figure, panels = style.subplots(height * rows, rows, columns, squeeze=False)
    some = np.unique(np.linspace(0, len(evaluation.labels) - 1, MAX_POINTS).astype(int))
    for i, (axes, name) in enumerate(zip(panels.flat, shown, strict=False)):
        true, predicted = evaluation.labels[some, i], evaluation.answers[some, i]
        draw(axes, true, predicted, style.truncated(name, 30))
    for axes in panels.flat[len(shown) :]:
        axes.axis("off")
    if len(shown) < len(names):
        title += f"; the first {len(shown)} of {len(names)} targets"
    figure.suptitle(title)
    return figure
