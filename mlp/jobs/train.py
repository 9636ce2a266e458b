"""One run, from its configuration to its stored result."""

import logging
import signal
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from threadpoolctl import threadpool_limits

from mlp.base import ConfigError, RunError, SignalCatcher, generator
from mlp.config import Job, check
from mlp.data import Dataset, Part, Parts, RowChange
from mlp.jobs.figures import draw_figures
from mlp.nn import Network, ReduceOnPlateau, fill
from mlp.reports import Console
from mlp.runs import (
    Recorder,
    RunFolder,
    find_run,
    open_run,
    read_training,
    refuse_links,
    reopen_run,
    split_digest,
)
from mlp.tracking import ensure_mirror, wait_for_delivery
from mlp.training import (
    Callback,
    Checkpoints,
    Evaluation,
    Evaluator,
    Outcome,
    Predictor,
    Pruner,
    StopCondition,
    check_memory,
)

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Resumption:
    """A run to resume.

    Attributes
    ----------
    folder : RunFolder
    changes : dict
        The keys that differ from the stored configuration, dotted, and their new values.
    """

    folder: RunFolder
    changes: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Result:
    """How a run ended.

    Attributes
    ----------
    id : str
    folder : Path
    status : str
        FINISHED, FAILED or KILLED.
    best : dict of str to float
        The metrics of the best epoch, and ``epoch``; empty before the first epoch has ended.
    reason : str
        Why it stopped.
    signal : int or None
        The signal that stopped it.
    """

    id: str
    folder: Path
    status: str
    best: dict[str, float]
    reason: str
    signal: int | None = None


def run_job(
    config: Mapping[str, Any] | Job,
    overrides: Sequence[str] = (),
    console: Console | None = None,
    *,
    dataset: Dataset | None = None,
    sweep: Mapping[str, Any] | None = None,
    pruner: Pruner | None = None,
    resume: Resumption | None = None,
) -> Result:
    """Train a network, store it, and test it.

    Parameters
    ----------
    config : DictConfig, dict or Job
        The composed configuration, or what `check` has made of it.
    overrides : sequence of str
        The words on the command line, to be stored.
    console : Console, optional
        Where to show it; nowhere by default.
    dataset : Dataset, optional
        The configuration's data, if they are loaded already.
    sweep : mapping, optional
        Of a job of a sweep: ``parent``, the sweep's id, ``key``, ``name`` and ``params``.
    pruner : Pruner, optional
        Ends an unpromising training early.
    resume : Resumption, optional
        The run to continue from its checkpoint, instead of starting a new one.

    Returns
    -------
    Result
        Also of a run that FAILED or was KILLED once it had been opened.

    Raises
    ------
    UserError
        When the configuration or the data are not acceptable; nothing is written.
    KeyboardInterrupt
        At Ctrl-C before the run was opened.
    SystemExit
        At a second signal, with 128 plus its number.
    """
    console = console or Console(quiet=True)
    job = config if isinstance(config, Job) else check(config)
    with threadpool_limits(job.threads, user_api="blas"):
        dataset = dataset or job.data.load()
        n_out = job.task.n_out(dataset)
        parts = job.task.prepare(job.data.parts(dataset, job.seed))
        check_fit(job, dataset, parts)
        _check_memory(job, dataset, parts)
        rng = generator(job.seed, "init")
        network = job.model.build(parts.n_in, n_out, job.loss, rng)
        begun = resume is not None and resume.folder.checkpoints.exists()
        has_origin = _begin_from(job, network, needed=not begun)
        if job.init_from and not begun:
            _warn_of_other_split(job.init_from, dataset, parts)
        console.show_config(job.config)
        console.show_plan(dataset, parts, network, job.trainer.batch_size)
        with StopOnSignal() as interruption:
            if resume:
                run = reopen_run(resume.folder, dataset, resume.changes)
            else:
                destination = job.tracking.destination()
                run = open_run(destination, job.config, overrides, dataset, parts, network, sweep)
            ensure_mirror()
            stops = [interruption, pruner] if pruner else [interruption]
            predictor = Predictor(
                network,
                parts.scaler,
                dataset.classes or dataset.targets,
                job.trainer.eval_batch_size,
                job.task,
                parts.train.target_scaler,
            )
            outcome = evaluation = None
            with run:
                try:
                    checkpoints = _checkpoints(job, run, has_origin)
                    augment = job.augment.of_rows(dataset.image_shape)
                    outcome = _train(
                        job, run, parts, augment, predictor, console, stops, checkpoints
                    )
                    run.killed = interruption.signal is not None
                    run.pruned = pruner is not None and pruner.pruned
                    if not run.killed and (job.test or not sweep):  # a sweep tests some later
                        evaluation = _evaluate(job, run, dataset, parts, network)
                    run.end()
                except BaseException as error:
                    run.end(error)
                    if not isinstance(error, Exception):  # a second signal
                        raise
                finally:
                    console.show_result(run.record, run.folder.path)
                draw_figures(job, run, dataset, parts, network, outcome, evaluation)
    record = run.record
    if not sweep:
        wait_for_delivery([run.folder])
    return Result(
        id=record.id,
        folder=run.folder.path,
        status=record.status,
        best=record.metrics,
        reason=record.stop_reason or "",
        signal=interruption.signal,
    )


def check_fit(job: Job, dataset: Dataset, parts: Parts) -> None:
    """Raise ConfigError if the job cannot be done on these data."""
    try:
        job.schedule.check(job.trainer.max_epochs)
    except ValueError as error:
        raise ConfigError(f"schedule.{error}") from None
    try:
        job.task.n_out(dataset)
        job.loss.check(dataset.n_classes)
    except ValueError as error:
        raise ConfigError(f"loss.{error}") from None
    if isinstance(job.schedule, ReduceOnPlateau) and not job.trainer.monitored(parts):
        raise ConfigError(
            f"schedule=reduce_on_plateau follows trainer.monitor={job.trainer.monitor}, and "
            "data.validation is none: set trainer.monitor=train/loss"
        )
    try:
        job.augment.of_rows(dataset.image_shape)
    except ValueError as error:
        raise ConfigError(f"augment {error}: set augment=none") from None


def _check_memory(job: Job, dataset: Dataset, parts: Parts) -> None:
    """Raise ConfigError if the training would take more memory than there is."""
    sizes = parts.n_in, job.task.n_out(dataset), len(parts.val or ())
    try:
        check_memory(job.model, job.optimizer, job.trainer, *sizes)
    except ValueError as error:
        raise ConfigError(f"model.{error}") from None


def _train(
    job: Job,
    run: Recorder,
    parts: Parts,
    augment: RowChange | None,
    predictor: Predictor,
    console: Console,
    stops: Sequence[StopCondition],
    checkpoints: Checkpoints,
) -> Outcome | None:
    """Fit, and store the best epoch's weights; None if better ones were stored before."""
    with console.training():
        outcome = job.trainer.fit(
            predictor.network,
            job.optimizer,
            job.schedule,
            parts,
            job.seed,
            listeners=(run, console, *_callbacks(job, run)),
            stops=stops,
            checkpoints=checkpoints,
            augment=augment,
            task=job.task,
        )
    if run.has_better_than(outcome):  # interrupted before it reached that epoch again
        return None
    run.save_weights(predictor, job.model)
    return outcome


def _callbacks(job: Job, run: Recorder) -> Iterator[Callback]:
    """Let the job's callbacks begin; one that fails is reported and left out."""
    for name, callback in job.callbacks.items():
        try:
            callback.begin(run.folder.path)
            yield callback
        except Exception:
            logger.exception("callbacks.%s failed and is left out", name)


def _evaluate(
    job: Job, run: Recorder, dataset: Dataset, parts: Parts, network: Network
) -> tuple[Evaluation, Part] | None:
    """Evaluate on the test set if that is wanted, else on the validation data for the figures."""
    tested = job.test and parts.test
    part = parts.test if tested else parts.val
    if part is None:
        return None
    evaluation = Evaluator(network, part, job.trainer.eval_batch_size, job.task)()
    if tested:
        run.save_test(evaluation, dataset.classes)
    return evaluation, part


def _begin_from(job: Job, network: Network, needed: bool) -> bool:
    """Fill a network with the weights of ``init_from``, if any; tell whether it has them.

    A run that is resumed from a checkpoint does not need them.
    """
    try:
        if job.init_from:
            origin = find_run(job.init_from)
            refuse_links(origin)
            fill(network, origin.weights)
    except RunError:
        if needed:
            raise
        return False
    return True


def _warn_of_other_split(origin: str, dataset: Dataset, parts: Parts) -> None:
    """Say so if the weights to begin from were trained on rows that validate now."""
    data = read_training(find_run(origin)).data
    if parts.val and data.digest == dataset.digest and data.split != split_digest(parts):
        logger.warning(
            "init_from: %s was trained with another split of the same data, so on rows that "
            "validate here: val/loss and val/accuracy are too good (an equal seed and equal "
            "data.val_... make the split the same)",
            origin,
        )


def _checkpoints(job: Job, run: Recorder, may_start_over: bool) -> Checkpoints:
    """Return the run's checkpoints, which report to its log and to the screen."""

    def report(sentence: str) -> None:
        run.log(sentence)
        if not run.record.sweep:  # a sweep shows a line for each job
            logger.warning(sentence)

    run.keep_checkpoint = job.trainer.keep_checkpoint
    every, keep = job.trainer.checkpoint_every, job.trainer.keep_checkpoint
    checkpoints = Checkpoints(run.folder.checkpoints, every, keep, report, may_start_over)
    if run.record.resumed and not checkpoints.stored():
        report("there is no checkpoint: the training starts over")
    return checkpoints


class StopOnSignal(SignalCatcher, StopCondition):
    """Ends a training after the batch under way once a signal has arrived.

    The best weights and all artifacts are still written.
    """

    def after_step(self) -> str | None:
        """Return a reason once a signal has arrived."""
        return f"stopped by {signal.Signals(self.signal).name}" if self.signal else None
