"""A search by Optuna: the next point to try, given the results of the earlier ones."""

import warnings
from dataclasses import dataclass, field
from math import ceil, isfinite, sqrt
from pathlib import Path
from typing import Any

import optuna
from optuna import samplers
from optuna.exceptions import ExperimentalWarning
from optuna.trial import FrozenTrial, Trial, TrialState, create_trial

from mlp.base import generator
from mlp.config import Search
from mlp.sweep.search.dimensions import Point
from mlp.sweep.search.journal import open_journal
from mlp.sweep.search.space import Space
from mlp.training import higher_is_better

PRUNING = "pruning"  # an attribute of the study: the settings of its pruner
LEAST_TRIALS = 10  # that tell something of the parameters' importance


@dataclass
class OpenTrial:
    """A point that is tried.

    Attributes
    ----------
    number : int
        From 0.
    point : dict
        Values by dotted key; a key that does not apply is left out.
    values : list of float
        What its seeds have come to so far.
    ended : bool
    """

    number: int
    point: Point
    values: list[float] = field(default_factory=list)
    ended: bool = False


class Study:
    """A search's trials, in a file that a later process can continue.

    Randomness is keyed by the seed and the trial's number: so a continued study goes on where the
    earlier one stopped, and repeats none of its random points. Only one process at a time asks.

    Parameters
    ----------
    journal : Path
        Made if need be.
    settings : Search
    space : Space
    metric : str
        What a trial's value is; its name tells the direction.
    max_epochs : int
        What a training takes at most.
    first : dict, optional
        Values of the first trial, by dotted key; what it leaves out is drawn.
    """

    def __init__(
        self,
        journal: Path,
        settings: Search,
        space: Space,
        metric: str,
        max_epochs: int,
        first: Point | None = None,
    ) -> None:
        self._settings, self._space, self._first = settings, space, first or {}
        self._study = optuna.create_study(
            study_name=f"search-{settings.seed}",
            storage=open_journal(journal),
            direction="maximize" if higher_is_better(metric) else "minimize",
            load_if_exists=True,
        )
        pruning = {key: getattr(settings, key) for key in ("pruner", "n_random", "warmup")}
        self._study.set_user_attr(PRUNING, pruning | {"max_epochs": max_epochs})
        self._grid = space.grid() if settings.sampler == "grid" else []
        generator(settings.seed, "grid").shuffle(self._grid)  # a median means something early on
        self._interrupted = [t.number for t in self._trials() if not t.state.is_finished()]

    @property
    def n_trials(self) -> int:
        """How many trials there will be in the end."""
        wanted = self._settings.n_trials
        return min(wanted, len(self._grid)) if self._grid else wanted

    @property
    def n_ended(self) -> int:
        """How many trials have ended."""
        return sum(trial.state.is_finished() for trial in self._trials())

    def ask(self) -> OpenTrial | None:
        """Return the next point, None when there have been enough.

        The trials that an earlier process has left unfinished come first, under their numbers.
        """
        n_begun = len(self._trials())
        if not self._interrupted and n_begun >= self.n_trials:
            return None
        number = self._interrupted.pop(0) if self._interrupted else n_begun
        self._study.sampler = self._sampler(number)
        trial = trial_of(self._study, number) if number < n_begun else self._study.ask()
        return OpenTrial(number, self._space.suggest(trial))

    def tell(self, number: int, value: float | None, pruned: bool = False) -> None:
        """Report the outcome of a trial.

        Parameters
        ----------
        number : int
        value : float or None
            None, or one that is not finite, means that it failed.
        pruned : bool
            Its only values are then those reported to the pruner.
        """
        if pruned or value is None or not isfinite(value):
            state, value = TrialState.PRUNED if pruned else TrialState.FAIL, None
        else:
            state = TrialState.COMPLETE
        self._study.tell(number, value, state=state, skip_if_finished=True)

    def importances(self) -> dict[str, float]:
        """Return how much each key matters for a good value, the shares of 1; the largest first.

        By PED-ANOVA (Watanabe et al. 2023), over all trials with a value: a pruned one has that
        which it had when it was pruned. Empty when there are too few.
        """
        valued = [trial for trial in self._trials() if trial.value is not None]
        if len(valued) < LEAST_TRIALS:
            return {}
        copy = optuna.create_study(direction=self._study.direction)
        copy.add_trials(
            create_trial(value=t.value, params=t.params, distributions=t.distributions)
            for t in valued
        )
        best = max(0.1, 5 / len(valued))  # the share of the trials that counts as good
        with warnings.catch_warnings(action="ignore", category=ExperimentalWarning):
            evaluator = optuna.importance.PedAnovaImportanceEvaluator(target_quantile=best)
            return optuna.importance.get_param_importances(copy, evaluator=evaluator)

    def _sampler(self, number: int) -> samplers.BaseSampler:
        """Return what proposes a trial's point."""
        settings = self._settings
        seed = int(generator(settings.seed, "search", number).integers(2**32))
        learning: dict[str, Any] = {"seed": seed, "n_startup_trials": settings.n_random}
        sampler: samplers.BaseSampler = samplers.RandomSampler(seed)
        with warnings.catch_warnings(action="ignore"):  # experimental parts, and gamma (Optuna < 6)
            if settings.sampler == "tpe":
                # Each key by itself, as in Bergstra et al. (2011): learned jointly, the first
                # good trial settles all choices at once (docs/search-evidence.md).
                sampler = samplers.TPESampler(multivariate=False, gamma=_n_good, **learning)
            if settings.sampler == "cmaes":
                sampler = samplers.CmaEsSampler(
                    consider_pruned_trials=True, warn_independent_sampling=False, **learning
                )
            fixed = self._grid[number] if self._grid else self._first if number == 0 else {}
            return samplers.PartialFixedSampler(self._space.raw(fixed), sampler)

    def _trials(self) -> list[FrozenTrial]:
        return self._study.get_trials(deepcopy=False)


def _n_good(n_trials: int) -> int:
    """Return how many of some trials TPE takes for the good ones, as in Hyperopt.

    A tenth of them, as Optuna does, did worse (docs/search-evidence.md).
    """
    return ceil(0.25 * sqrt(n_trials))


def trial_of(study: optuna.Study, number: int) -> Trial:
    """Return a trial of a study that another process has begun."""
    return Trial(study, study.get_trials(deepcopy=False)[number]._trial_id)
