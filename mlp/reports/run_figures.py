"""The figures of a run: how it was trained, and how good it became."""

from collections.abc import Callable, Mapping, Sequence
from math import prod
from pathlib import Path
from pkgutil import resolve_name
from typing import TYPE_CHECKING

import numpy as np

import mlp.reports.figure_style as style
from mlp.data import Part
from mlp.reports.class_figures import confusion, mistakes
from mlp.reports.curves import learning_curves
from mlp.reports.number_figures import predicted_against_true, residuals
from mlp.training import Evaluation

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MAX_UNITS, UNIT_COLUMNS = 40, 10  # of the first layer
EvaluationFigure = Callable[[Evaluation, Part, Sequence[str], Sequence[int] | None], "Figure"]
EVALUATION_FIGURES: dict[str, EvaluationFigure] = {
    figure.__name__: figure for figure in (confusion, mistakes, predicted_against_true, residuals)
}


def draw_training_figures(
    into: Path,
    history: Sequence[Mapping[str, float]],
    best_epoch: int,
    learned: np.ndarray,
    image_shape: Sequence[int] | None,
) -> None:
    """Write ``curves.png`` and, where a row of the data is an image, ``first_layer.png``.

    Parameters
    ----------
    into : Path
        A folder, made if need be.
    history : sequence of mapping
        Metrics of each epoch, with its number under ``epoch``; nothing is drawn if empty.
    best_epoch : int
    learned : ndarray of shape (n_in, n_units)
        What training has added to the first layer's weights.
    image_shape : sequence of int or None
        (height, width) when a row is an image.
    """
    if history:
        style.save_figure(learning_curves(history, best_epoch), into / "curves.png")
    if image_shape is not None and len(learned) == prod(image_shape):
        style.save_figure(first_layer(learned, image_shape), into / "first_layer.png")


def draw_distortions(into: Path, images: np.ndarray) -> None:
    """Write ``augmentation.png``; see `distortions`."""
    style.save_figure(distortions(images), into / "augmentation.png")


def draw_evaluation_figures(
    into: Path,
    figures: Sequence[str],
    evaluation: Evaluation,
    part: Part,
    names: Sequence[str],
    image_shape: Sequence[int] | None,
) -> None:
    """Write figures into a folder, which is made if need be.

    Parameters
    ----------
    into : Path
    figures : sequence of str
        Their names, as a `Task` gives them; of a figure of one's own the dotted name of the
        function that returns it, whose arguments are those that follow.
    evaluation : Evaluation
    part : Part
        What was evaluated; a few of its rows are read.
    names : sequence of str
        Of the classes, by index, or of the numbers that are predicted.
    image_shape : sequence of int or None
        (height, width) when a row is an image.
    """
    for name in figures:
        draw = EVALUATION_FIGURES.get(name) or resolve_name(name)
        figure = draw(evaluation, part, names, image_shape)
        style.save_figure(figure, into / f"{name.rpartition('.')[2]}.png")


@style.styled()
def distortions(images: np.ndarray) -> "Figure":
    """Return training images, one a row, and beside each what augmentation makes of it.

    Parameters
    ----------
    images : ndarray of shape (n_images, 1 + n_distorted, height, width)
        The original first.
    """
    _, columns, height, width = images.shape
    canvas = style.tiled(images.reshape(-1, height, width), columns, 2)
    figure, axes = style.subplots(style.WIDTH * canvas.shape[0] / canvas.shape[1] + 0.5)
    axes.imshow(canvas, cmap="Greys", vmin=images.min(), vmax=images.max())
    axes.axvline(width + 0.5, color=style.ORANGE, lw=2)
    axes.set_title("Training images (left), and some of what augmentation makes of them")
    axes.axis("off")
    return figure


@style.styled()
def first_layer(learned: np.ndarray, image_shape: Sequence[int]) -> "Figure":
    """Return what the units of the first layer have learned as images, 0 in white.

    On a small training set the weights themselves look like noise: most of each is still as it was
    drawn at first.

    Parameters
    ----------
    learned : ndarray of shape (n_in, n_units)
        The weights at the end minus those at the beginning.
    image_shape : sequence of int
        (height, width) with height · width = n_in.
    """
    n_units = learned.shape[1]
    norms = np.square(learned, dtype=np.float64).sum(axis=0)
    most = np.argsort(-norms, kind="stable")[:MAX_UNITS]
    tiles = learned[:, most].T.reshape(-1, *image_shape).astype(np.float32)
    canvas = style.tiled(tiles, min(UNIT_COLUMNS, len(tiles)), max(1, image_shape[1] // 8))
    height = (style.WIDTH - 1.2) * canvas.shape[0] / canvas.shape[1] + 0.5
    figure, axes = style.subplots(min(style.WIDTH, height))
    bound = float(np.quantile(np.abs(tiles), 0.999)) or 1.0  # one outlier would make the rest pale
    image = axes.imshow(canvas, cmap="RdBu_r", vmin=-bound, vmax=bound, interpolation="nearest")
    title = f"The {MAX_UNITS} of {n_units} units of the first layer that training changed most"
    axes.set_title(title if n_units > MAX_UNITS else "What the units of the first layer learned")
    axes.axis("off")
    figure.colorbar(image, ax=axes, shrink=0.8, label="change of the weight", extend="both")
    return figure
