"""A stored network on its test set, or on other data.

A run's folder holds all that is needed: the configuration, the weights, the scaling. What the
training reported comes out again.
"""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from mlp.base import ConfigError, DataError, RunError
from mlp.config import Job, changed, check
from mlp.data import Dataset, Part, Scaler
from mlp.nn import Network, load
from mlp.reports import Console, draw_evaluation_figures
from mlp.runs import RunFolder, read_config, read_training, record_evaluation, refuse_links
from mlp.tracking import ensure_mirror
from mlp.training import Evaluation, Evaluator

logger = logging.getLogger(__name__)

CHANGEABLE = ("data", "threads", "trainer.eval_batch_size")


def evaluate_run(
    folder: RunFolder, changes: Sequence[str] = (), console: Console | None = None
) -> Evaluation:
    """Evaluate a stored run, and record the result in its folder and in MLflow.

    Parameters
    ----------
    folder : RunFolder
    changes : sequence of str
        To the run's own configuration; its data above all.
    console : Console, optional
        Where to show the result; nowhere by default.

    Raises
    ------
    UserError
        When the run, its weights, the changes or the data are not acceptable.
    """
    console = console or Console(quiet=True)
    refuse_links(folder)
    record = read_training(folder)
    job = _check(read_config(folder), changes)
    network, scaler = load(folder.weights), Scaler.load(folder.weights)
    if len(scaler.shift) != network.n_in:
        raise RunError(
            f"{folder.weights} scales {len(scaler.shift)} inputs; its network has {network.n_in}"
        )
    dataset = job.data.load()
    own = dataset.digest == record.data.digest
    classes = record.data.classes
    if job.data.part_of == record.data.name:
        logger.warning(
            "%s was trained on %s, of whose training set all of %s is a part: this says nothing "
            "about examples that it has not seen",
            record.name,
            record.data.name,
            dataset.name,
        )
    part = _part(dataset, own, classes, network, scaler)
    with threadpool_limits(job.threads or record.provenance.blas.threads, "blas"):
        evaluation = Evaluator(network, part, job.trainer.eval_batch_size, job.task)()
    other = None if own else _name(job, dataset)
    try:
        name = record_evaluation(folder, evaluation, classes, dataset.digest, other)
        figures = folder.evaluations / name if name else folder.figures
        draw_evaluation_figures(figures, evaluation, part, classes, dataset.image_shape)
    except OSError as error:
        raise RunError(f"{folder.path} cannot be written: {error.strerror or error}") from None
    ensure_mirror()
    console.show_evaluation(record.name, other or dataset.name, evaluation, classes, figures)
    return evaluation


def _check(config: dict[str, Any], changes: Sequence[str]) -> Job:
    """Return the job of a stored configuration, with changes that matter to an evaluation."""
    for change in changes:
        key = change.split("=")[0].lstrip("+~")
        if not any(key == name or key.startswith(f"{name}.") for name in CHANGEABLE):
            raise ConfigError(
                f"'{change[:80]}' changes nothing here: an evaluation depends on "
                f"{', '.join(CHANGEABLE)}; the network is the stored one"
            )
    return check(changed(config | {"init_from": None, "callbacks": {}}, changes))


def _part(
    dataset: Dataset, own: bool, classes: Sequence[str], network: Network, scaler: Scaler
) -> Part:
    """Return the rows to evaluate: the test set, or all rows of other data that have none."""
    if dataset.n_in != network.n_in:
        raise DataError(
            f"{dataset.name} has {dataset.n_in} features an example; this network was trained "
            f"on {network.n_in}"
        )
    if unknown := sorted(set(dataset.classes) - set(classes)):
        raise DataError(
            f"{dataset.name} has classes that this network does not know ({', '.join(unknown)}); "
            f"it knows {', '.join(classes)}"
        )
    x, y = dataset.x_test, dataset.y_test
    if x is None or y is None:
        if own:
            raise DataError(f"{dataset.name} has no test set; give other data, as in data=mnist")
        x, y = dataset.x_train, dataset.y_train
    order = np.array([classes.index(name) for name in dataset.classes])
    return Part(x, order[y], None, scaler)


def _name(job: Job, dataset: Dataset) -> str:
    """Return what to call the data: their file's name, if they have one of their own."""
    path = job.config["data"].get("path")
    return Path(path).stem if path else dataset.name
