"""The figures of a run, drawn when all else is done."""

import logging
import traceback
from collections.abc import Callable

import numpy as np

from mlp.base import generator
from mlp.config import Job
from mlp.data import Batches, Dataset, Part, Parts
from mlp.reports import (
    draw_boundary,
    draw_distortions,
    draw_evaluation_figures,
    draw_inspection,
    draw_training_figures,
)
from mlp.runs import RunFolder, read_history, read_inspections
from mlp.training import Evaluation, Outcome, Predictor, Snapshots, Task

logger = logging.getLogger(__name__)

N_IMAGES, N_DISTORTED = 6, 9  # of the figure of augmentation
N_BOUNDARIES = 6


def is_plane(dataset: Dataset, task: Task) -> bool:
    """Tell whether the data are classes of points given by two numbers."""
    numeric = all(column.kind == "numeric" for column in dataset.columns or ())
    return dataset.n_in == 2 and numeric and task.targets == "classes"


def draw_figures(
    job: Job,
    folder: RunFolder,
    log: Callable[[str], None],
    dataset: Dataset,
    parts: Parts,
    learned: np.ndarray,
    outcome: Outcome | None,
    evaluation: tuple[Evaluation, Part] | None,
    snapshots: Snapshots | None = None,
) -> None:
    """Draw what was trained on, how that went, and where the network is wrong.

    ``learned`` is what training has added to the first layer's weights. A run does not depend on
    the figures: what goes wrong here is told to ``log``, and warned of.
    """
    figures, image = folder.figures, dataset.image_shape
    try:
        if outcome:
            draw_training_figures(figures, outcome.history, outcome.best_epoch, learned, image)
            if image and (images := _distorted(job, parts.train, image)) is not None:
                draw_distortions(figures, images)
            if snapshots:
                predictors = _predictors_by_epoch(job, dataset, parts, outcome, snapshots)
                rows = slice(None) if parts.train.rows is None else parts.train.rows
                x, y = dataset.x_train[rows], dataset.y_train[rows]
                inputs = [column.name for column in dataset.columns or ()] or ["x1", "x2"]
                draw_boundary(figures, predictors, x, y, inputs)
        if looks := read_inspections(folder):
            draw_inspection(figures, looks, read_history(folder))
        if evaluation:
            names = dataset.classes or dataset.targets
            draw_evaluation_figures(figures, job.task.figures, *evaluation, names, image)
    except Exception as error:
        log(traceback.format_exc())
        logger.warning("the figures could not be drawn: %s", error or type(error).__name__)


def _predictors_by_epoch(
    job: Job, dataset: Dataset, parts: Parts, outcome: Outcome, snapshots: Snapshots
) -> dict[str, Predictor]:
    """Return what was trained as it was at some epochs, by words that say how good it was then."""
    size, predictors = job.trainer.eval_batch_size, {}
    for epoch, network in snapshots.networks(N_BOUNDARIES).items():
        words = f"epoch {epoch}" if epoch else "before training"
        words += " (best)" if epoch == outcome.best_epoch else ""
        metrics = outcome.history[epoch - 1] if epoch else {}
        for part, name in (("val", "validation"), ("train", "training")):
            if f"{part}/accuracy" in metrics:
                words += f"\n{name} accuracy {metrics[f'{part}/accuracy']:.2%}"
                break
        predictors[words] = Predictor(network, parts.scaler, dataset.classes, size, job.task)
    return predictors


def _distorted(job: Job, part: Part, image_shape: tuple[int, ...]) -> np.ndarray | None:
    """Return images as augmentation changes them, the original first; None if it does not."""
    augment = job.augment.of_rows(image_shape)
    if augment is None:
        return None
    part = part.spread(N_IMAGES)  # over the classes, if sorted
    x, _ = next(Batches(part, len(part)).in_order())
    result = np.repeat(x[:, None], 1 + N_DISTORTED, axis=1)
    distorted = result[:, 1:].reshape(-1, x.shape[1])
    augment(distorted, generator(job.seed, "figure"))
    result[:, 1:] = distorted.reshape(len(x), N_DISTORTED, -1)
    return result.reshape(*result.shape[:2], *image_shape)
