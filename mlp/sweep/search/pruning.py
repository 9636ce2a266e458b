"""The pruner of a trial: it watches a training from the process that trains."""

from pathlib import Path
from statistics import median
from typing import Any

import optuna
from optuna.pruners import BasePruner, HyperbandPruner
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState

from mlp.base import counted
from mlp.sweep.search.journal import open_journal
from mlp.sweep.search.study import PRUNING, trial_of
from mlp.training import EpochEnded, Pruner

LEAST_TRIALS = 5  # whose median says something
FACTOR = 3  # from rung to rung, and of the trials that go on: Li et al. (2018), "Hyperband"


class TrialPruner(Pruner):
    """Ends a training whose best value so far lies behind that of the other trials.

    The best value is compared, not the last: it is what a run is judged by in the end, and one
    noisy epoch ends nothing.

    Parameters
    ----------
    journal : Path
        Of the study.
    number : int
        Of the trial.
    """

    def __init__(self, journal: Path, number: int) -> None:
        study = optuna.load_study(study_name=None, storage=open_journal(journal))
        settings = study.user_attrs[PRUNING]
        self.name = settings["pruner"]
        study.pruner = _pruner(settings)
        self._trial = trial_of(study, number)
        # An earlier attempt at this trial was let through so far; the same training repeats it.
        earlier = study.get_trials(deepcopy=False)[number].intermediate_values
        self._passed = max(earlier, default=0)

    def after_epoch(self, event: EpochEnded) -> str | None:
        """Report the best value so far, and return a reason if the trial is to end."""
        if event.epoch > self._passed:
            self._trial.report(event.best_value, event.epoch)
        if event.epoch < self._passed or not self._trial.should_prune():
            return None
        self.pruned = True
        spent = counted(event.epoch, "epoch")
        return f"pruned ({self.name}): {event.best_value:.4g} at best in {spent}"


class MedianRule(BasePruner):
    """Ends a trial that lies behind the median of those that went through, at the same epoch.

    Optuna's own rule looks only at trials that have got to that epoch. One that stopped early is
    compared with here, too, at its best value; else a late epoch would be judged by the slow ones.

    Parameters
    ----------
    n_startup : int
        Trials that must have gone through before there is a median.
    warmup : int
        Epochs that are not judged.
    """

    def __init__(self, n_startup: int, warmup: int) -> None:
        self.n_startup, self.warmup = n_startup, warmup

    def prune(self, study: optuna.Study, trial: FrozenTrial) -> bool:
        """Tell whether a trial is to end."""
        epoch = trial.last_step
        through = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
        if epoch is None or epoch < self.warmup or len(through) < self.n_startup:
            return False
        then = [value for other in through if (value := _best_until(epoch, other)) is not None]
        sign = 1 if study.direction == StudyDirection.MINIMIZE else -1
        return bool(then) and sign * trial.intermediate_values[epoch] > sign * median(then)


class HalvingRule(BasePruner):
    """Lets the best third of the trials go on at each rung: 1, 3, 9, ... times ``first`` epochs.

    Asynchronous successive halving (Li et al. 2020, "A System for Massively Parallel Hyperparameter
    Tuning"), where a trial never waits: it is compared with those that have come to the rung so
    far, and the best so far always goes on. As with the median, a training that stopped before the
    rung is compared with at its best value; Optuna's own rule would not see it.

    Parameters
    ----------
    first : int
        Epochs that every trial gets.
    """

    def __init__(self, first: int) -> None:
        self.first = first

    def prune(self, study: optuna.Study, trial: FrozenTrial) -> bool:
        """Tell whether a trial is to end."""
        epoch = trial.last_step
        if epoch is None or not self._is_rung(epoch):
            return False
        here = [
            value
            for other in study.get_trials(deepcopy=False)
            if other.state == TrialState.COMPLETE or (other.last_step or 0) >= epoch
            if (value := _best_until(epoch, other)) is not None
        ]
        sign = 1 if study.direction == StudyDirection.MINIMIZE else -1
        own = trial.intermediate_values[epoch]
        n_better = sum(sign * value < sign * own for value in here)
        return n_better >= max(1, len(here) // FACTOR)

    def _is_rung(self, epoch: int) -> bool:
        rung = self.first
        while rung < epoch:
            rung *= FACTOR
        return rung == epoch


def _best_until(epoch: int, trial: FrozenTrial) -> float | None:
    """Return what a trial had reported at an epoch, or before it ended."""
    reported = reversed(trial.intermediate_values.items())
    return next((value for step, value in reported if step <= epoch), None)


def _pruner(settings: dict[str, Any]) -> BasePruner:
    warmup = settings["warmup"]
    if settings["pruner"] == "hyperband":
        return HyperbandPruner(warmup, settings["max_epochs"], reduction_factor=FACTOR)
    if settings["pruner"] == "halving":
        return HalvingRule(warmup)
    return MedianRule(max(LEAST_TRIALS, settings["n_random"]), warmup)
