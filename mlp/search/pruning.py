"""The pruner of a trial: it watches a training from the process that trains."""

from pathlib import Path
from typing import Any

import optuna
from optuna.pruners import BasePruner, HyperbandPruner, MedianPruner
from optuna.samplers import RandomSampler
from optuna.trial import Trial

from mlp.search.journal import open_journal
from mlp.search.study import PRUNING
from mlp.training import EpochEnded, Pruner


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
        storage = open_journal(journal)
        [summary] = storage.get_all_studies()
        settings = summary.user_attrs[PRUNING]
        self.name = settings["pruner"]
        study = optuna.load_study(
            study_name=summary.study_name,
            storage=storage,
            sampler=RandomSampler(),  # of which nothing is asked here
            pruner=_pruner(settings),
        )
        id_ = storage.get_trial_id_from_study_id_trial_number(summary._study_id, number)
        self._trial = Trial(study, id_)
        # Of an earlier attempt at this trial, which the same training repeats.
        self._reported = set(storage.get_trial(id_).intermediate_values)

    def after_epoch(self, event: EpochEnded) -> str | None:
        """Report the best value so far, and return a reason if the trial is to end."""
        if event.epoch not in self._reported:
            self._trial.report(event.best_value, event.epoch)
        if not self._trial.should_prune():
            return None
        self.pruned = True
        return f"pruned ({self.name}): {event.best_value:.4g} at best in {event.epoch} epochs"


def _pruner(settings: dict[str, Any]) -> BasePruner:
    if settings["pruner"] == "hyperband":
        # A reduction factor of 3, as in Li et al. (2018), "Hyperband".
        return HyperbandPruner(min_resource=settings["warmup"], max_resource=settings["max_epochs"])
    return MedianPruner(n_startup_trials=settings["n_startup"], n_warmup_steps=settings["warmup"])
