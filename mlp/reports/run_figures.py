"""The figures of a run: learning curves, confusion matrix, worst mistakes, first-layer weights."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

import mlp.reports.figure_style as style
from mlp.data import Part
from mlp.reports.curves import learning_curves
from mlp.training import Evaluation, most_confused

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MAX_CLASSES = 30  # in the confusion matrix
ROWS, COLUMNS = 4, 5  # of the gallery of mistakes
MAX_UNITS, UNIT_COLUMNS = 60, 12  # of the first layer


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
        style.save_figure(learning_curves(history, best_epoch), into / "curves.png")
    if weights is not None and image_shape is not None:
        style.save_figure(first_layer(weights, image_shape), into / "first_layer.png")


def draw_distortions(into: Path, images: np.ndarray) -> None:
    """Write ``augmentation.png``; see `distortions`."""
    style.save_figure(distortions(images), into / "augmentation.png")


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
    style.save_figure(confusion(evaluation, classes), into / "confusion.png")
    style.save_figure(mistakes(evaluation, part, classes, image_shape), into / "mistakes.png")


def confusion(evaluation: Evaluation, classes: Sequence[str]) -> "Figure":
    """Return how often each class was predicted as which: of many, the most confused ones."""
    from matplotlib.colors import PowerNorm

    labels, predictions = evaluation.labels, evaluation.predictions
    shown, counts = most_confused(labels, predictions, len(classes), MAX_CLASSES)
    n = len(shown)
    title = f"{evaluation.metrics['accuracy']:.2%} of {len(evaluation.labels):,} correct"
    if n < len(classes):
        title += f"; the {n} most confused of {len(classes):,} classes"
    figure, axes = style.subplots(7.0)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    norm = PowerNorm(0.4, 0, 1)  # a mistake of one in a hundred is still seen
    axes.imshow(shares, cmap="Blues", norm=norm)
    axes.set(title=title, xlabel="predicted class", ylabel="true class")
    size = float(np.clip(200 / n, 6.5, 11))
    names = [style.truncated(classes[i]) for i in shown]
    turned = style.slanted(45) if max(map(len, names)) > 2 else {}
    axes.set_xticks(range(n), names, fontsize=size, **turned)
    axes.set_yticks(range(n), names, fontsize=size)
    for i, j in zip(*np.nonzero(counts), strict=True):
        colour = "white" if norm(shares[i, j]) > 0.55 else "black"
        axes.text(j, i, f"{counts[i, j]}", ha="center", va="center", color=colour, fontsize=size)
    return figure


def worst_mistakes(labels: np.ndarray, scores: np.ndarray, n: int) -> np.ndarray:
    """Return the indices of the wrong predictions with the largest lead over the true class.

    Parameters
    ----------
    labels : ndarray of shape (n_examples,), int64
    scores : ndarray of shape (n_examples, n_classes)
    n : int
        How many at most.

    Returns
    -------
    ndarray of int64
        The worst first.
    """
    lead = scores.max(axis=1) - scores[np.arange(len(labels)), labels]
    wrong = np.flatnonzero(scores.argmax(axis=1) != labels)
    return wrong[np.argsort(-lead[wrong], kind="stable")[:n]]


def mistakes(
    evaluation: Evaluation, part: Part, classes: Sequence[str], image_shape: Sequence[int] | None
) -> "Figure":
    """Return the worst mistakes, true → predicted class, as images or as bars of their scores."""
    n_wrong = np.count_nonzero(evaluation.predictions != evaluation.labels)
    title = f"The worst of {n_wrong:,} mistakes" if n_wrong else "No mistake"
    title += f" in {len(evaluation.labels):,} examples"
    worst = worst_mistakes(evaluation.labels, evaluation.answers, ROWS * COLUMNS)
    labels, scores = evaluation.labels[worst], evaluation.answers[worst]
    names = [style.truncated(name, 14 if image_shape is None else 10) for name in classes]
    predictions, tops = scores.argmax(axis=1), scores.max(axis=1)
    pairs = [f"{names[t]} → {names[p]}" for t, p in zip(labels, predictions, strict=True)]
    if image_shape is None or not n_wrong:
        pairs = [f"{pair}  (#{i})" for pair, i in zip(pairs, worst, strict=True)]
        return _score_bars(pairs, tops, scores[np.arange(len(labels)), labels], title)
    x = part.x[worst if part.rows is None else part.rows[worst]]
    captions = [f"{pair}\n{top:.2f}" for pair, top in zip(pairs, tops, strict=True)]
    return _gallery(x.reshape(-1, *image_shape).astype(np.float32), captions, title)


def distortions(images: np.ndarray) -> "Figure":
    """Return training images, one a row, and beside each what augmentation makes of it.

    Parameters
    ----------
    images : ndarray of shape (n_images, 1 + n_distorted, height, width)
        The original first.
    """
    _, columns, height, width = images.shape
    canvas = _tile(images.reshape(-1, height, width), columns, 2)
    figure, axes = style.subplots(style.WIDTH * canvas.shape[0] / canvas.shape[1] + 0.5)
    axes.imshow(canvas, cmap="Greys", vmin=images.min(), vmax=images.max())
    axes.axvline(width + 0.5, color=style.ORANGE, lw=2)
    axes.set_title("Training images (left), and some of what augmentation makes of them")
    axes.axis("off")
    return figure


def _gallery(images: np.ndarray, captions: Sequence[str], title: str) -> "Figure":
    """Return images of shape (n, height, width) in rows, a caption above each."""
    height, width = images.shape[1:]
    gap = max(2, round(0.32 * height))  # room for a caption of two lines
    ink = images - images.min()
    canvas = _tile(ink / max(ink.max(), 1e-12), COLUMNS, gap)
    y_to_x = canvas.shape[0] / (canvas.shape[1] + 2 * gap)
    figure, axes = style.subplots(style.WIDTH * y_to_x + 0.9)
    axes.imshow(canvas, cmap="Greys", vmin=0, vmax=1)
    for i, caption in enumerate(captions):
        row, column = divmod(i, COLUMNS)
        x, y = column * (width + gap) + width / 2, row * (height + gap) - 1
        axes.text(x, y, caption, ha="center", va="bottom", fontsize=8.5)
    axes.set_title(title, pad=30)
    axes.set_xlim(-gap, canvas.shape[1] + gap)  # so that no caption is cut
    axes.axis("off")
    return figure


def _score_bars(
    names: Sequence[str], predicted: np.ndarray, true: np.ndarray, title: str
) -> "Figure":
    """Return the scores of the predicted and of the true class of each example as bars."""
    figure, axes = style.subplots(1.4 + 0.28 * len(names))
    axes.set(title=title, xlabel="score")
    if not names:
        axes.axis("off")
        return figure
    places = np.arange(len(names))
    axes.barh(places - 0.2, predicted, 0.4, color=style.ORANGE, label="predicted class")
    axes.barh(places + 0.2, true, 0.4, color=style.BLUE, label="true class")
    axes.set_yticks(places, names)
    axes.invert_yaxis()
    style.despine(axes)
    axes.legend(frameon=False, loc="upper center", bbox_to_anchor=(0.5, -0.1), ncols=2)
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
    strongest = np.argsort(-norms, kind="stable")[:MAX_UNITS]
    tiles = weights[:, np.sort(strongest)].T.reshape(-1, *image_shape).astype(np.float32)
    canvas = _tile(tiles, min(UNIT_COLUMNS, len(tiles)), 2)
    height = (style.WIDTH - 1.2) * canvas.shape[0] / canvas.shape[1] + 0.5
    figure, axes = style.subplots(min(style.WIDTH, height))
    bound = float(np.quantile(np.abs(tiles), 0.999)) or 1.0  # one outlier would make the rest pale
    image = axes.imshow(canvas, cmap="RdBu_r", vmin=-bound, vmax=bound, interpolation="nearest")
    which = f"the {MAX_UNITS} strongest of {n_units}" if n_units > MAX_UNITS else f"{n_units}"
    axes.set_title(f"Incoming weights of {which} units of the first layer")
    axes.axis("off")
    figure.colorbar(image, ax=axes, shrink=0.8, label="weight", extend="both")
    return figure


def _tile(images: np.ndarray, columns: int, gap: int) -> np.ndarray:
    """Lay images of shape (n, height, width) out in one array, NaN between them.

    One large image is drawn many times faster than many small ones.
    """
    n, height, width = images.shape
    rows = -(-n // columns)
    cells = np.full((rows, columns, height + gap, width + gap), np.nan, np.float32)
    cells.reshape(-1, height + gap, width + gap)[:n, :height, :width] = images
    canvas = cells.transpose(0, 2, 1, 3).reshape(rows * (height + gap), columns * (width + gap))
    return canvas[:-gap, :-gap]
