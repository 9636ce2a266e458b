"""A stored network on its test set, or on other data.

A run's folder holds all that is needed: the configuration, the weights, the scaling. What the
training reported comes out again.
"""

import logging
from collections.abc import Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from mlp import data, runs
from mlp.base import ConfigError, DataError, RunError, in_brief
from mlp.config import Job, changed, check, compose
from mlp.data import Dataset, Part, Source, TablePreprocessing
from mlp.jobs.stored_training import draw_stored_training
from mlp.reports import Console, draw_evaluation_figures
from mlp.runs import RunFolder
from mlp.tracking import ensure_mirror
from mlp.training import Evaluation, Evaluator, Predictor

logger = logging.getLogger(__name__)

CHANGEABLE = ("data", "threads", "trainer.eval_batch_size")
# Of the inputs, which is stored with the network
PREPARATION = (
    "scale",
    "deskew",
    "drop",
    "categorical",
    "numeric",
    "missing_indicators",
    "unknown_column",
)


def evaluate_run(
    folder: RunFolder, changes: Sequence[str] = (), console: Console | None = None
) -> Evaluation:
    """Evaluate a stored run or ensemble, and record the result in its folder and in MLflow.

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
    runs.refuse_links(folder)
    record = runs.read_training(folder)
    if not (record.members or runs.read_last_epoch(folder)):
        raise RunError(f"{record.name} was never trained: it is {record.state}, after 0 epochs")
    stored = runs.read_config(folder)
    config = _changed(stored, changes)
    runs.check_own_classes(config, record, folder)
    job = check(config)
    predictor = Predictor.load(folder.weights)
    dataset = _load(job, changes, predictor.scaler)
    own = dataset.digest == record.data.digest
    if not (own or _names_data(changes)):
        raise RunError(
            f"{dataset.name} has changed since {record.name} was trained on it; data.path=... "
            "tests on other data"
        )
    if own and changes:
        _refuse_other_rows(check(_changed(stored, ())), job, dataset, changes)
    classes = record.data.classes
    names = classes or record.data.targets
    if job.data.part_of == record.data.name:
        logger.warning(
            "%s was trained on %s, of whose training set all of %s is a part: this says nothing "
            "about examples that it has not seen",
            record.name,
            record.data.name,
            dataset.name,
        )
    with threadpool_limits(job.threads or record.provenance.blas.threads, "blas"):
        part, evaluation = _evaluate(predictor, job, dataset, own)
    other = None if own else _name(job, dataset)
    try:
        name = runs.record_evaluation(folder, evaluation, names, dataset.digest, other)
        figures = folder.evaluations / name if name else folder.figures
        image = dataset.image_shape
        if own and not (figures.exists() or record.members):
            draw_stored_training(folder, dataset)
        draw_evaluation_figures(figures, job.task.figures, evaluation, part, names, image)
    except OSError as error:
        raise RunError(f"{folder.path} cannot be written: {error.strerror or error}") from None
    ensure_mirror()
    console.show_evaluation(record.name, other or dataset.name, evaluation, classes, figures)
    return evaluation


def _changed(config: dict[str, Any], changes: Sequence[str]) -> dict[str, Any]:
    """Return a stored configuration with changes that matter to an evaluation.

    The kind of data that it names already, as in ``data=csv``, keeps its settings.
    """
    kind = config["data"]["_target_"]
    changes = [c for c in changes if not (c.startswith("data=") and _target(c) == kind)]
    for change in changes:
        key = change.split("=")[0].lstrip("+~")
        if not any(key == name or key.startswith(f"{name}.") for name in CHANGEABLE):
            raise ConfigError(
                f"'{change[:80]}' changes nothing here: an evaluation depends on "
                f"{', '.join(CHANGEABLE)}; the network is the stored one"
            )
        if key.removeprefix("data.") in PREPARATION:
            raise ConfigError(
                f"'{change[:80]}' changes nothing here: inputs are prepared as in the training"
            )
    moved = any(change.startswith("data.path=") for change in changes)
    if moved and "test_path" in config["data"]:
        config |= {"data": {**config["data"], "test_path": None}}
    return changed(config | {"init_from": None, "callbacks": {}}, changes)


def _target(choice: str) -> Any:
    """Return the class of a choice of data, ``data=csv``."""
    return compose([choice])["data"]["_target_"]


def _names_data(changes: Sequence[str]) -> bool:
    """Tell whether changes say which data, and not only which rows of the run's own."""
    rows = {f"data.{field.name}" for field in fields(Source)}
    keys = {change.split("=")[0].lstrip("+~") for change in changes}
    return any(key.startswith("data") for key in keys - rows)


def _refuse_other_rows(own: Job, job: Job, dataset: Dataset, changes: Sequence[str]) -> None:
    """Raise ConfigError if changes test on rows of a run's own data that it was trained on."""
    if tested_rows(job, dataset) != tested_rows(own, dataset):
        raise ConfigError(
            f"'{' '.join(changes)[:80]}' would test on rows that this network was trained on: of "
            "its own data it is tested on the rows that its training held out"
        )


def tested_rows(job: Job, dataset: Dataset) -> list[int] | None:
    """Return which of the training rows a run is tested on; None for a test set of its own."""
    rows = job.data.held_out(dataset, job.seed)
    return None if rows is None else rows.tolist()


def _load(job: Job, changes: Sequence[str], scaler: data.Scaler | TablePreprocessing) -> Dataset:
    """Load the data; another table in the columns of the one that the network was trained on."""
    changed = any(change.lstrip("+~").startswith("data") for change in changes)
    if changed and isinstance(scaler, TablePreprocessing):
        return job.data.load_as(scaler.columns, job.task.targets)
    return job.data.load(job.task.targets)


def _evaluate(
    predictor: Predictor, job: Job, dataset: Dataset, own: bool
) -> tuple[Part, Evaluation]:
    """Return the rows, as the first network takes them, and the evaluation of what is predicted."""
    parts, evaluations = list[Part](), list[Evaluation]()
    for member in predictor.members:
        if own:
            part = own_test_part(job, dataset, member.scaler)
        else:
            part = _part(dataset, predictor.names, member.scaler)
        if targets := member.target_scaler:
            part = replace(part, y=targets.transform(part.y), target_scaler=targets)
        parts.append(part)
        evaluations.append(Evaluator(member.network, part, job.trainer.eval_batch_size, job.task)())
    if len(evaluations) == 1:
        return parts[0], evaluations[0]
    labels = evaluations[0].labels
    answers: np.ndarray = np.mean([evaluation.answers for evaluation in evaluations], axis=0)
    return parts[0], Evaluation(job.task.measure(answers, labels), answers, labels)


def own_test_part(job: Job, dataset: Dataset, scaler: data.Scaler | TablePreprocessing) -> Part:
    """Return the run's own test set."""
    part = job.data.test_part(dataset, job.seed, scaler)
    if part is None:
        raise DataError(f"{dataset.name} has no test set; give other data, as in data=mnist")
    return part


def _part(dataset: Dataset, names: Sequence[str], scaler: data.Scaler | TablePreprocessing) -> Part:
    """Return the rows of other data to evaluate: their test set, or all rows if they have none."""
    if dataset.n_in != scaler.n_raw:
        raise DataError(
            f"{dataset.name} has {dataset.n_in} features an example; this network was trained "
            f"on {scaler.n_raw}"
        )
    if dataset.targets and dataset.targets != tuple(names):
        raise DataError(
            f"{dataset.name} has the targets {', '.join(dataset.targets)}; this network predicts "
            f"{', '.join(names)}"
        )
    if unknown := sorted(set(dataset.classes) - set(names)):
        raise DataError(
            f"{dataset.name} has classes that this network does not know: {in_brief(unknown)}; it "
            f"knows {in_brief(names)}"
        )
    x, y = dataset.x_test, dataset.y_test
    if x is None or y is None:
        x, y = dataset.x_train, dataset.y_train
    if dataset.classes:
        y = np.array([names.index(name) for name in dataset.classes])[y]
    inputs, batch_scaler = data.as_inputs(x, scaler)
    return Part(inputs, y, None, batch_scaler)


def _name(job: Job, dataset: Dataset) -> str:
    """Return what to call the data: their file's name, if they have one of their own."""
    data = job.config["data"]
    path = data.get("test_path") or data.get("path")
    return Path(path).stem if path else dataset.name
