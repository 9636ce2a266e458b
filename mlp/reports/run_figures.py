"""The figures of a run: its curves, its confusion matrix, its worst mistakes, its first weights.

Each function takes plain arrays and returns a Figure of its own.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from mlp.data import Part
from mlp.reports.style import (
    BLUE,
    GREY,
    ORANGE,
    WIDTH,
    bare,
    epochs_along,
    new_figure,
    save_figure,
    shortened,
)
from mlp.training import Evaluation, confusion_matrix

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST_COUNTS = 30  # classes up to which the confusion matrix shows numbers
MISTAKES = (4, 5)  # rows and columns of the gallery
MOST_UNITS, UNIT_COLUMNS = 60, 12  # of the first layer


def draw_training_figures(
    into: Path,
    history: Sequence[Mapping[str, float]],
    best_epoch: int,
    weights: np.ndarray | None,
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
    weights : ndarray of shape (n_in, n_units) or None
        Of the first layer.
    image_shape : sequence of int or None
        (height, width) with height · width = n_in.
    """
    if history:
        save_figure(learning_curves(history, best_epoch), into / "curves.png")
    if weights is not None and image_shape is not None:
        save_figure(first_layer(weights, image_shape), into / "first_layer.png")


def draw_evaluation_figures(
    into: Path,
    evaluation: Evaluation,
    part: Part,
    classes: Sequence[str],
    image_shape: Sequence[int] | None,
) -> None:
    """Write ``confusion.png`` and ``mistakes.png`` into a folder, which is made if need be.

    Parameters
    ----------
    into : Path
    evaluation : Evaluation
    part : Part
        What was evaluated; a few of its rows are read.
    classes : sequence of str
        Names of the classes, by index.
    image_shape : sequence of int or None
        (height, width) when a row is an image.
    """
    counts = confusion_matrix(evaluation.labels, evaluation.predictions, len(classes))
    save_figure(confusion(counts, classes), into / "confusion.png")
    worst = worst_mistakes(evaluation.labels, evaluation.scores, MISTAKES[0] * MISTAKES[1])
    x = part.x[worst if part.rows is None else part.rows[worst]]
    labels, scores = evaluation.labels[worst], evaluation.scores[worst]
    n_wrong = int(counts.sum() - np.trace(counts))
    title = f"The worst of {n_wrong:,} mistakes" if n_wrong else "No mistake"
    images = None if image_shape is None else x.reshape(-1, *image_shape)
    title += f" in {counts.sum():,} examples"
    save_figure(mistakes(labels, scores, worst, classes, images, title), into / "mistakes.png")


def learning_curves(history: Sequence[Mapping[str, float]], best_epoch: int) -> "Figure":
    """Return loss and accuracy against the epoch, training and validation, the best one marked."""
    figure = new_figure(3.6)
    epochs = [row["epoch"] for row in history]
    for axes, metric in zip(figure.subplots(1, 2), ("loss", "accuracy"), strict=True):
        for part, name, colour in (("train", "training", BLUE), ("val", "validation", ORANGE)):
            if f"{part}/{metric}" in history[0]:
                values = [row[f"{part}/{metric}"] for row in history]
                axes.plot(epochs, values, ".-", color=colour, label=name, markersize=5)
        line = {"color": GREY, "linestyle": "--", "linewidth": 1}
        axes.axvline(best_epoch, label=f"best epoch: {best_epoch}", zorder=0, **line)
        axes.set_title(metric.capitalize())
        epochs_along(axes)
    handles, labels = axes.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=3, frameon=False)
    return figure


def confusion(counts: np.ndarray, classes: Sequence[str]) -> "Figure":
    """Return how often each class was taken for which.

    Parameters
    ----------
    counts : ndarray of shape (n_classes, n_classes), int64
        True class by row.
    classes : sequence of str
    """
    from matplotlib.colors import PowerNorm

    n = len(classes)
    figure = new_figure(7.0)
    axes = figure.subplots()
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    norm = PowerNorm(0.4, 0, 1)  # a mistake of one in a hundred is still seen
    image = axes.imshow(shares, cmap="Blues", norm=norm)
    right = np.trace(counts) / max(counts.sum(), 1)
    axes.set(
        title=f"Confusion: {right:.2%} of {counts.sum():,} right",
        xlabel="predicted class",
        ylabel="true class",
    )
    if n > MOST_COUNTS:
        figure.colorbar(image, ax=axes, label="share of the true class", shrink=0.8)
        return figure
    size = float(np.clip(200 / n, 6.5, 11))
    names = [shortened(name) for name in classes]
    axes.set_xticks(range(n), names, fontsize=size)
    axes.set_yticks(range(n), names, fontsize=size)
    if max(map(len, names)) > 2:
        for label in axes.get_xticklabels():
            label.set(rotation=45, horizontalalignment="right")
    for i, j in zip(*np.nonzero(counts), strict=True):
        colour = "white" if norm(shares[i, j]) > 0.55 else "black"
        axes.text(j, i, f"{counts[i, j]}", ha="center", va="center", color=colour, fontsize=size)
    return figure


def worst_mistakes(labels: np.ndarray, scores: np.ndarray, most: int) -> np.ndarray:
    """Return the indices of the wrong predictions with the largest lead over the true class.

    Parameters
    ----------
    labels : ndarray of shape (n,), int64
    scores : ndarray of shape (n, n_classes)
    most : int

    Returns
    -------
    ndarray of shape (at most ``most``,), int64
        The worst first.
    """
    lead = scores.max(axis=1) - scores[np.arange(len(labels)), labels]
    wrong = np.flatnonzero(scores.argmax(axis=1) != labels)
    return wrong[np.argsort(-lead[wrong], kind="stable")[:most]]


def mistakes(
    labels: np.ndarray,
    scores: np.ndarray,
    indices: np.ndarray,
    classes: Sequence[str],
    images: np.ndarray | None,
    title: str,
) -> "Figure":
    """Return a gallery of mistakes: true → predicted class with its score, and the image.

    Parameters
    ----------
    labels : ndarray of shape (n,), int64
    scores : ndarray of shape (n, n_classes)
    indices : ndarray of shape (n,), int64
        Places of these examples in their data set, shown where there are no images.
    classes : sequence of str
    images : ndarray of shape (n, height, width) or None
    title : str
    """
    if images is None or not len(labels):
        return _mistakes_as_bars(labels, scores, indices, classes, title)
    height, width = images.shape[1:]
    gap = max(2, round(0.32 * height))  # room for a caption of two lines
    ink = images.astype(np.float32) - images.min()
    board = _mosaic(ink / max(ink.max(), 1e-12), MISTAKES[1], gap)
    figure = new_figure(WIDTH * board.shape[0] / (board.shape[1] + 2 * gap) + 0.9)
    axes = figure.subplots()
    axes.imshow(board, cmap="Greys", vmin=0, vmax=1)
    for i, (t, p) in enumerate(zip(labels, scores.argmax(axis=1), strict=True)):
        row, column = divmod(i, MISTAKES[1])
        x, y = column * (width + gap) + width / 2, row * (height + gap) - 1
        caption = f"{shortened(classes[t], 10)} → {shortened(classes[p], 10)}\n{scores[i, p]:.2f}"
        axes.text(x, y, caption, ha="center", va="bottom", fontsize=8.5)
    axes.set_title(title, pad=30)
    axes.set_xlim(-gap, board.shape[1] + gap)  # so that no caption is cut
    axes.axis("off")
    return figure


def first_layer(weights: np.ndarray, image_shape: Sequence[int]) -> "Figure":
    """Return the incoming weights of the first layer's units as images, 0 in white.

    Parameters
    ----------
    weights : ndarray of shape (n_in, n_units)
    image_shape : sequence of int
        (height, width) with height · width = n_in.
    """
    n_units = weights.shape[1]
    norms = np.square(weights, dtype=np.float64).sum(axis=0)
    strongest = np.argsort(-norms, kind="stable")[:MOST_UNITS]
    tiles = weights[:, np.sort(strongest)].T.reshape(-1, *image_shape).astype(np.float32)
    board = _mosaic(tiles, min(UNIT_COLUMNS, len(tiles)), 2)
    figure = new_figure(min(WIDTH, (WIDTH - 1.2) * board.shape[0] / board.shape[1] + 0.5))
    axes = figure.subplots()
    bound = float(np.quantile(np.abs(tiles), 0.999)) or 1.0  # a lone giant would pale the rest
    image = axes.imshow(board, cmap="RdBu_r", vmin=-bound, vmax=bound, interpolation="nearest")
    which = f"the {MOST_UNITS} strongest of {n_units}" if n_units > MOST_UNITS else f"{n_units}"
    axes.set_title(f"Incoming weights of {which} units of the first layer")
    axes.axis("off")
    figure.colorbar(image, ax=axes, shrink=0.8, label="weight", extend="both")
    return figure


def _mistakes_as_bars(
    labels: np.ndarray,
    scores: np.ndarray,
    indices: np.ndarray,
    classes: Sequence[str],
    title: str,
) -> "Figure":
    """Where a row is no image: the scores of the predicted and of the true class as bars."""
    n = len(labels)
    figure = new_figure(1.4 + 0.28 * n)
    axes: Axes = figure.subplots()
    axes.set_title(title)
    if not n:
        axes.axis("off")
        return figure
    places, predictions = np.arange(n), scores.argmax(axis=1)
    axes.barh(places - 0.2, scores.max(axis=1), 0.4, color=ORANGE, label="predicted class")
    axes.barh(places + 0.2, scores[places, labels], 0.4, color=BLUE, label="true class")
    names = [
        f"{shortened(classes[t])} → {shortened(classes[p])}  (#{i})"
        for t, p, i in zip(labels, predictions, indices, strict=True)
    ]
    axes.set_yticks(places, names)
    axes.invert_yaxis()
    axes.set_xlabel("score")
    bare(axes)
    axes.legend(frameon=False, loc="upper center", bbox_to_anchor=(0.5, -0.1), ncols=2)
    return figure


def _mosaic(images: np.ndarray, columns: int, gap: int) -> np.ndarray:
    """Lay images of shape (n, height, width) out in one array, NaN between them.

    One large image is drawn many times faster than many small ones.
    """
    n, height, width = images.shape
    rows = -(-n // columns)
    board = np.full((rows, columns, height + gap, width + gap), np.nan, np.float32)
    board.reshape(-1, height + gap, width + gap)[:n, :height, :width] = images
    whole = board.transpose(0, 2, 1, 3).reshape(rows * (height + gap), columns * (width + gap))
    return whole[:-gap, :-gap]
