"""One run, from its configuration to its stored result."""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from mlp import runs, training
from mlp.base import RunError, generator
from mlp.config import Job, check, prefixed, unusual_keys
from mlp.data import Dataset, Part
from mlp.jobs.checks import check_fit
from mlp.jobs.figures import draw_figures, is_plane
from mlp.jobs.refit import refit_on_all_rows
from mlp.nn import fill
from mlp.reports import Console
from mlp.runs import Recorder, RunFolder, RunRecord
from mlp.tracking import ensure_mirror, wait_for_delivery
from mlp.training import Pruner, StopCondition, StopOnSignal

WORTH_DRAWING = 20.0  # seconds; a job of a sweep that is shorter is drawn when it is evaluated
logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Result:
    """How a run ended.

    Attributes
    ----------
    record : RunRecord
    folder : RunFolder
    signal : int or None
        The signal that stopped it.
    """

    record: RunRecord
    folder: RunFolder
    signal: int | None = None


def run_job(
    config: Mapping[str, Any] | Job,
    overrides: Sequence[str] = (),
    console: Console | None = None,
    *,
    dataset: Dataset | None = None,
    sweep: Mapping[str, Any] | None = None,
    pruner: Pruner | None = None,
    resume: RunFolder | None = None,
    changes: Mapping[str, Any] | None = None,
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
    resume : RunFolder, optional
        The run to continue from its checkpoint, instead of starting a new one.
    changes : mapping, optional
        Of a run to continue: the dotted keys that differ from its stored configuration, and their
        new values.

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
    has_checkpoint = resume is not None and resume.checkpoints.exists()
    dataset = dataset or job.data.load(job.task.targets)
    prepared = Training(job, dataset, has_checkpoint)
    threads = training.blas_threads(prepared.network.params.size, job.trainer.batch_size)
    with threadpool_limits(job.threads or threads, user_api="blas"):
        data = prepared.dataset, prepared.parts, prepared.network
        if not console.quiet:  # as that of each job of a sweep
            console.show_config(job.config, unusual_keys(job.config))
        console.show_plan(*data, job.trainer.batch_size)
        with StopOnSignal() as interruption:
            if resume:
                run = runs.reopen_run(resume, prepared.dataset, changes or {})
            else:
                run = runs.open_run(job.tracking.destination(), job.config, overrides, *data, sweep)
            ensure_mirror()
            with run:
                try:
                    with console.training():
                        stops = [interruption, pruner] if pruner else [interruption]
                        prepared.fit(run, console, stops)
                    run.killed = interruption.signal is not None
                    run.pruned = pruner is not None and pruner.pruned
                    if job.refit and not (run.killed or run.pruned):
                        prepared.refit(run, console, interruption)
                        run.killed = interruption.signal is not None
                    if not run.killed and (job.test or not sweep):  # a sweep tests some later
                        prepared.evaluate(run)
                    run.end()
                except BaseException as error:
                    run.end(error)
                    if not isinstance(error, Exception):  # a second signal
                        raise
                finally:
                    console.show_result(run.record, run.folder.path)
                if not sweep or run.record.seconds > WORTH_DRAWING:
                    prepared.draw(run.folder, run.log)
    if not sweep:
        wait_for_delivery([run.folder])
    return Result(run.record, run.folder, interruption.signal)


class Training:
    """A job with its data and its network, ready to be trained; nothing is written yet.

    Parameters
    ----------
    job : Job
    dataset : Dataset
    has_checkpoint : bool
        Whether the training continues from one, and can do without the weights of ``init_from``.

    Raises
    ------
    UserError
        When the job cannot be done on these data, in this memory or from these weights.
    """

    outcome: training.Outcome | None = None  # until there are weights to show
    evaluation: tuple[training.Evaluation, Part] | None = None

    def __init__(self, job: Job, dataset: Dataset, has_checkpoint: bool) -> None:
        self.job, self.dataset = job, dataset
        self.parts = job.task.prepare(job.data.parts(dataset, job.seed))
        self.snapshots = training.Snapshots() if is_plane(dataset, job.task) else None
        check_fit(job, dataset, self.parts)
        n_out = job.task.n_out(dataset)
        sizes = self.parts.n_in, n_out, len(self.parts.val or ())
        with prefixed("model."):
            training.check_memory(job.model, job.optimizer, job.trainer, *sizes)
        rng = generator(job.seed, "init")
        self.network = job.model.build(self.parts.n_in, n_out, job.loss, rng)
        try:
            self._load_origin(warn=not has_checkpoint)
            self.may_start_over = True
        except RunError:
            if job.refit or not has_checkpoint:
                raise
            self.may_start_over = False
        self._first_weights = self._first_layer().copy()
        self._initial = (self.network.params.copy(), self.network.state.copy()) if job.refit else ()

    def fit(self, run: Recorder, console: Console, stops: Sequence[StopCondition]) -> None:
        """Train, and store the best epoch's weights unless better ones were stored before."""
        job, snapshots = self.job, [self.snapshots] if self.snapshots else []
        slow = training.SlownessWarning(partial(_report, run), run.record.provenance.blas.threads)
        outcome = job.trainer.fit(
            self.network,
            job.optimizer,
            job.schedule,
            self.parts,
            job.seed,
            listeners=(run, console, slow, *snapshots, *self._callbacks(run)),
            stops=stops,
            checkpoints=self._checkpoints(run),
            augment=job.augment.of_rows(self.dataset.image_shape),
            task=job.task,
        )
        if run.has_better_than(outcome):  # which an earlier start has reached
            fill(self.network, run.folder.weights)
        elif outcome.epochs:
            run.save_weights(self.predictor, job.model)
            self.outcome = outcome

    def refit(self, run: Recorder, console: Console, stop: StopCondition) -> None:
        """Train again on all rows for as many epochs as were best, and store those weights."""
        if run.record.best is None:
            return
        made = self.network, self._initial, run.record.best.epoch
        with console.training():
            outcome, parts = refit_on_all_rows(self.job, run, self.dataset, *made, console, stop)
        if stop.after_step() is None:
            self.parts = parts
            run.save_weights(self.predictor, self.job.model)
            run.save_refit(outcome)
        else:
            run.interrupt(outcome.stop_reason)
            fill(self.network, run.folder.weights)

    @property
    def predictor(self) -> training.Predictor:
        """The network with what its inputs and outputs need."""
        return training.Predictor(
            self.network,
            self.parts.scaler,
            self.dataset.classes or self.dataset.targets,
            self.job.trainer.eval_batch_size,
            self.job.task,
            self.parts.train.target_scaler,
            self.dataset.label_type,
        )

    def evaluate(self, run: Recorder) -> None:
        """Evaluate on the test set if that is wanted, else on the validation data for figures."""
        tested = self.job.test and self.parts.test
        if part := tested or self.parts.val:
            size, task = self.job.trainer.eval_batch_size, self.job.task
            evaluation = training.Evaluator(self.network, part, size, task)()
            if tested:
                run.save_test(evaluation, self.dataset.classes or self.dataset.targets)
            self.evaluation = evaluation, part

    def draw(self, folder: RunFolder, log: Callable[[str], None]) -> None:
        """Draw what was trained on, how that went, and where the network is wrong."""
        learned = self._first_layer() - self._first_weights
        made = learned, self.outcome, self.evaluation, self.snapshots
        draw_figures(self.job, folder, log, self.dataset, self.parts, *made)

    def _first_layer(self) -> np.ndarray:
        """Return the first weights that a layer has, a view; none in some networks of one's own."""
        matrices = (array for _, array in self.network.named_arrays() if array.ndim == 2)
        return next(matrices, np.empty((0, 0)))

    def _load_origin(self, warn: bool) -> None:
        """Begin from the weights of ``init_from``, if any.

        If they were trained on rows that validate now, a warning says so.
        """
        if not self.job.init_from:
            return
        origin = runs.find_run(self.job.init_from)
        runs.refuse_links(origin)
        fill(self.network, origin.weights)
        data = runs.read_training(origin).data
        same_data = data.digest == self.dataset.digest
        if warn and self.parts.val and same_data and data.split != runs.split_digest(self.parts):
            logger.warning(
                "init_from: %s was trained with another split of the same data, so on rows that "
                "validate here: val/loss and val/accuracy are too good (an equal seed and equal "
                "data.val_... make the split the same)",
                self.job.init_from,
            )

    def _callbacks(self, run: Recorder) -> Iterator[training.Callback]:
        """Let the job's callbacks begin; one that fails is reported and left out."""
        for name, callback in self.job.callbacks.items():
            try:
                callback.begin(run.folder.path)
                yield callback
            except Exception:
                logger.exception("callbacks.%s failed and is left out", name)

    def _checkpoints(self, run: Recorder) -> training.Checkpoints:
        """Return the run's checkpoints, which report to its log and to the screen."""
        report, run.keep_checkpoint = partial(_report, run), self.job.trainer.keep_checkpoint
        keep = run.keep_checkpoint or self.job.refit  # a second training is continued by itself
        every, folder = self.job.trainer.checkpoint_every, run.folder.checkpoints
        checkpoints = training.Checkpoints(folder, every, keep, report, self.may_start_over)
        if run.record.resumed and not checkpoints.stored():
            report("there is no checkpoint: the training starts over")
        return checkpoints


def _report(run: Recorder, sentence: str) -> None:
    """Note something about a training that goes on."""
    run.log(sentence)
    if not run.record.sweep:  # a sweep shows a line for each job
        logger.warning(sentence)
