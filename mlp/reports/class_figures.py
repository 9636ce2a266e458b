"""Figures of an evaluation of classes: the confusion matrix, the worst mistakes."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

import mlp.reports.figure_style as style
from mlp.data import Part
from mlp.training import Evaluation, most_confused

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MAX_CLASSES = 30  # in the confusion matrix
ROWS, COLUMNS = 4, 5  # of the gallery of mistakes


def confusion(
    evaluation: Evaluation, part: Part, classes: Sequence[str], image_shape: Sequence[int] | None
) -> "Figure":
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


def _gallery(images: np.ndarray, captions: Sequence[str], title: str) -> "Figure":
    """Return images of shape (n, height, width) in rows, a caption above each."""
    height, width = images.shape[1:]
    gap = max(2, round(0.32 * height))  # room for a caption of two lines
    ink = images - images.min()
    canvas = style.tiled(ink / max(ink.max(), 1e-12), COLUMNS, gap)
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
