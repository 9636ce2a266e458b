"""The jobs of a search: the study proposes points, they are run as jobs, it gets the results."""

import json
import logging
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import fmean
from typing import Any

from hydra.core.override_parser.types import Quote, QuotedString
from omegaconf import OmegaConf

from mlp.base import ConfigError, UserError
from mlp.config import Search
from mlp.runs import Children, in_words, name_of, short_keys, study_journal
from mlp.sweep.composer import CommandLine, Composer, PlannedJob, digest
from mlp.sweep.plan import JobSource, Plan, check_comparable
from mlp.sweep.search.dimensions import Choice, Dimension, Point
from mlp.sweep.search.space import Space, read_override, read_space
from mlp.sweep.search.study import OpenTrial, Study
from mlp.sweep.worker import ChildResult

logger = logging.getLogger(__name__)
WORD = re.compile(r"(?!(?:null|true|false|nan|inf)$)[A-Za-z]\w*", re.IGNORECASE)


@dataclass(frozen=True)
class SearchPlan(Plan):
    """The plan of a search: its jobs are not known yet, but the space of them is checked.

    Attributes
    ----------
    settings : Search
    space : Space
    compose : Composer
    max_epochs : int
        What a training takes at most.
    defaults : dict
        The values of the first trial, as far as it is given any.
    """

    settings: Search
    space: Space
    compose: Composer
    max_epochs: int
    defaults: Point

    def source(self, children: Children) -> "Trials":
        """Return the source of the jobs of the trials that are left."""
        return Trials(self, study_journal(children.parent), self.example.monitor)


def plan_search(search: Search, line: CommandLine) -> SearchPlan:
    """Return the plan of a search; every value that ends a range, and every choice, is checked.

    Parameters
    ----------
    search : Search
    line : CommandLine
        Words with several values are dimensions, and a single value fixes a key.

    Raises
    ------
    UserError
        When the space or something in it is not acceptable.
    """
    compose = Composer(line, search)
    dimensions = read_space(search.space)
    conditions = {key for dimension in dimensions.values() for key in dimension.when}
    for key in dimensions.keys() & compose.fixed.keys():
        if key in conditions:  # others ask for its value
            dimensions[key] = Choice(values=[compose.fixed[key].value()])
        else:
            del dimensions[key]
    space = Space(dimensions | {key: read_override(word) for key, word in compose.axes.items()})
    samples = [compose(overrides(point)) for point in space.samples()]
    _check(search, space, samples)
    if search.sampler in ("tpe", "cmaes") and search.n_random >= search.n_trials:
        logger.warning(
            "sweep.n_trials=%d leaves no search: the first %d trials are random",
            search.n_trials,
            search.n_random,
        )
    return SearchPlan(
        headline=_headline(search, space),
        axes={key: _in_words(dimension) for key, dimension in space.dimensions.items()},
        jobs=[],
        n_duplicates=0,
        identity=_identity(search, space, samples),
        example=samples[0],
        settings=search,
        space=space,
        compose=compose,
        max_epochs=max(job.config["trainer"]["max_epochs"] for job in samples),
        defaults=_defaults(space, line) if search.enqueue_defaults else {},
    )


def _defaults(space: Space, line: CommandLine) -> Point:
    """Return what the configuration itself says of the keys, as far as the space has it."""
    choices = line.config.hydra.runtime.choices
    values = {key: choices.get(key, OmegaConf.select(line.config, key)) for key in space.dimensions}
    plain: Any = OmegaConf.to_container(OmegaConf.create(values), resolve=True)
    return space.part_of(plain)


def _in_words(dimension: Dimension) -> list[Any]:
    """Return a dimension's values, and when it applies."""
    when = " and ".join(f"{key}={in_words(value)}" for key, value in dimension.when.items())
    return [*dimension.in_words(), *([f"if {when}"] if when else [])]


def _headline(search: Search, space: Space) -> str:
    n_trials = search.n_trials
    if search.sampler == "grid":
        n_trials = min(n_trials, len(space.grid()))
    seeds = f" of {search.seeds_per_trial} seeds" if search.seeds_per_trial > 1 else ""
    pruning = f", {search.pruner} pruning" if search.pruner != "none" else ""
    return f"{n_trials} trials{seeds} by {search.sampler}{pruning}"


def _check(search: Search, space: Space, samples: Sequence[PlannedJob]) -> None:
    """Raise ConfigError for settings that do not go together."""
    if search.seeds_per_trial > 1 and "seed" in space.dimensions:
        raise ConfigError("sweep.seeds_per_trial must be 1 when the seed itself is searched for")
    if any(job.monitor != job.config["trainer"]["monitor"] for job in samples):
        raise ConfigError(
            "data.validation must not be none: a search compares its trials by trainer.monitor"
        )
    check_comparable(samples)


def _identity(search: Search, space: Space, samples: Sequence[PlannedJob]) -> str:
    """Return a hash of what determines the trials; their number does not."""
    free = ("fresh", "dry_run", "max_failures", "test", "n_trials", "batch", "space")
    settings = {key: value for key, value in vars(search).items() if key not in free}
    dimensions = {key: [type(d).__name__, vars(d)] for key, d in space.dimensions.items()}
    return digest([settings, dimensions, [job.key for job in samples]])


class Trials(JobSource):
    """The jobs of a search, one after another (see `mlp.sweep.plan.JobSource`).

    Of a trial with several seeds the first is run first. If it was pruned, the trial ends so; else
    the others follow, which are not pruned, and the trial's value is the mean of all.

    Parameters
    ----------
    plan : SearchPlan
    journal : Path
        Of the study, made if need be.
    metric : str
        By which trials are compared, each training at its best epoch.
    """

    def __init__(self, plan: SearchPlan, journal: Path, metric: str) -> None:
        self._plan, self._metric = plan, metric
        self._study = Study(
            journal, plan.settings, plan.space, metric, plan.max_epochs, plan.defaults
        )
        self._names = short_keys(plan.space.dimensions)
        self._trials: dict[str, OpenTrial] = {}  # by the names of their jobs
        super().__init__([])  # then the further seeds of the trials under way
        n_trials = max(0, self._study.n_trials - self._study.n_ended)
        self.n_left = n_trials * plan.settings.seeds_per_trial

    def ask(self) -> PlannedJob | None:
        """Return the next job; None if there is none until a running one ends."""
        while job := super().ask():
            if not self._trials[job.name].ended:
                return job
        while trial := self._study.ask():
            try:
                return self._job(trial, 0)
            except UserError as error:  # each value is acceptable, but not all of them together
                logger.warning("trial %d cannot be run: %s", trial.number, error)
                self._end(trial)
                self._study.tell(trial.number, None)
        return None

    def tell(self, job: PlannedJob, result: ChildResult) -> None:
        """Take the outcome of a job; a killed one is left for the next start to repeat."""
        trial = self._trials.pop(job.name)
        if trial.ended:  # another of its seeds has failed
            return
        value = result.metrics.get(self._metric)
        if result.state == "finished" and value is not None:
            self._add(trial, value)
            return
        self._end(trial)
        if result.state != "killed":
            self._study.tell(trial.number, None, pruned=result.state == "pruned")

    def importances(self) -> dict[str, float]:
        """Return how much each key matters, see `Study.importances`."""
        return self._study.importances()

    def _add(self, trial: OpenTrial, value: float) -> None:
        """Add the value of one of a trial's seeds; after the first, queue the others."""
        trial.values.append(value)
        self.n_left -= 1
        n_seeds = self._plan.settings.seeds_per_trial
        if len(trial.values) == n_seeds:
            self._study.tell(trial.number, fmean(trial.values))
        elif len(trial.values) == 1:
            self._jobs.extend(self._job(trial, i) for i in range(1, n_seeds))

    def _end(self, trial: OpenTrial) -> None:
        """End a trial without its remaining seeds."""
        trial.ended = True
        self.n_left -= self._plan.settings.seeds_per_trial - len(trial.values)

    def _job(self, trial: OpenTrial, i: int) -> PlannedJob:
        """Return the job of a trial's i-th seed."""
        search, words = self._plan.settings, overrides(trial.point)
        name = f"trial {trial.number}: {name_of(trial.point, self._names)}"
        if search.seeds_per_trial > 1:
            seed = self._plan.example.config["seed"] + i
            words, name = [*words, f"seed={seed}"], f"{name} seed={seed}"
        watched = i == 0 and search.pruner != "none"
        job = replace(self._plan.compose(words, name), trial=trial.number if watched else None)
        self._trials[name] = trial
        return job


def overrides(point: Mapping[str, Any]) -> list[str]:
    """Return a point as words on a command line."""
    return [f"{key}={_written(value)}" for key, value in point.items()]


def _written(value: Any) -> str:
    plain = isinstance(value, str) and WORD.fullmatch(value)
    if isinstance(value, str) and not plain:
        return QuotedString(value, Quote.single).with_quotes()
    return value if plain else json.dumps(value, ensure_ascii=False)
