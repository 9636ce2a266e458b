"""The plan of a grid: axes become jobs, all checked before the first starts."""

import json
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

from hydra.core.override_parser.types import Override

from mlp.base import ConfigError
from mlp.config import Grid
from mlp.runs import Children, name_of, short_keys
from mlp.sweep.composer import CommandLine, Composer, PlannedJob, digest
from mlp.sweep.worker import DONE, ChildResult


class JobSource:
    """Gives out the jobs of a list, one after another.

    Attributes
    ----------
    n_left : int
        The number of jobs that have not ended, at most.
    """

    def __init__(self, jobs: Iterable[PlannedJob]) -> None:
        self._jobs = deque(jobs)
        self.n_left = len(self._jobs)

    def ask(self) -> PlannedJob | None:
        """Return the next job; None if there is none until a running one ends."""
        return self._jobs.popleft() if self._jobs else None

    def tell(self, job: PlannedJob, result: ChildResult) -> None:
        """Take the outcome of a job."""
        self.n_left -= 1

    def importances(self) -> dict[str, float]:
        """Return the importance of each axis; {} for a grid, whose figures show it."""
        return {}


@dataclass(frozen=True)
class Plan:
    """The plan of a sweep.

    Attributes
    ----------
    headline : str
        The plan in a few words.
    axes : dict of str to list
        The values of each axis, by dotted key; in words if they are too many.
    jobs : list of PlannedJob
        No two with the same key; empty for a search, which decides on each as it goes.
    n_duplicates : int
        Combinations left out because another one is the same job.
    identity : str
        The same for the same sweep.
    example : PlannedJob
        One of those that are going to run, or that may be.
    """

    headline: str
    axes: dict[str, list[Any]]
    jobs: list[PlannedJob]
    n_duplicates: int
    identity: str
    example: PlannedJob

    @property
    def threads(self) -> int:
        """The BLAS threads of a job, at most."""
        return max(job.config["threads"] or 1 for job in [self.example, *self.jobs])

    def source(self, children: Children) -> JobSource:
        """Return the source of the jobs that earlier starts have not done."""
        states = children.states()
        left = [job for job in self.jobs if states.get(job.key) not in DONE]
        left.sort(key=lambda job: states.get(job.key) == "failed")  # may well fail again
        return JobSource(left)


def plan_grid(
    grid: Grid, line: CommandLine, track: Callable[[Sequence[Any]], Iterable[Any]] = iter
) -> Plan:
    """Return every combination of the axes' values as a job.

    Parameters
    ----------
    grid : Grid
    line : CommandLine
    track : callable
        Shows the progress of a loop over some values.

    Raises
    ------
    UserError
        For an axis without values, and for the first job that is not acceptable.
    """
    compose = Composer(line, grid)
    jobs: dict[str, PlannedJob] = {}
    combinations = list(product(*map(_axis, compose.axes.values())))
    for values in track(combinations):
        words = [f"{key}={value}" for key, value in zip(compose.axes, values, strict=True)]
        try:
            job = compose(words)
        except ConfigError as error:
            if not jobs or len(words) == 1:
                raise
            raise ConfigError(f"{error} (in {' '.join(words)})") from None  # others are acceptable
        jobs.setdefault(job.key, job)
    check_comparable(list(jobs.values()))
    named = _named(list(jobs.values()))
    return Plan(
        headline=f"{len(jobs)} job" + "s" * (len(jobs) != 1),
        axes=_values([job.params for job in named]),
        jobs=named,
        n_duplicates=len(combinations) - len(jobs),
        identity=digest([sorted(jobs), grid.name]),
        example=named[0],
    )


def check_comparable(jobs: Sequence[PlannedJob]) -> None:
    """Raise ConfigError unless the monitored metric means the same for all jobs."""
    metrics = list(dict.fromkeys(job.monitor for job in jobs))
    if len(metrics) > 1:
        found = " and ".join(metrics)
        raise ConfigError(f"jobs are compared by one metric, trainer.monitor must not be {found}")
    rows = ("val_fraction", "val_size", "validation")
    losses = [job.config["loss"] for job in jobs]
    data = [[job.data_digest, *map(job.config["data"].get, rows)] for job in jobs]
    for group, values in {"loss": losses, "data": data}.items():
        if not metrics[0].endswith("accuracy") and any(value != values[0] for value in values):
            raise ConfigError(
                f"{metrics[0]} cannot be compared between jobs that differ in {group}: "
                "set trainer.monitor=val/accuracy"
            )


def _axis(override: Override) -> list[str]:
    if not override.is_discrete_sweep():
        raise ConfigError(
            f"'{override.input_line}': a grid needs single values, as in "
            f"{override.key_or_group}=0.1,0.2; intervals are for a search"
        )
    values = list(override.sweep_string_iterator())
    if not values:
        raise ConfigError(f"the axis '{override.input_line}' has no values")
    return values


def _values(params: Sequence[Mapping[str, Any]]) -> dict[str, list[Any]]:
    """Return the different values of each key, in the order of their appearance."""
    return {
        key: list({json.dumps(values[key]): values[key] for values in params}.values())
        for key in params[0]
    }


def _named(jobs: list[PlannedJob]) -> list[PlannedJob]:
    """Name each job by what distinguishes it: ``lr=0.003 hidden_sizes=128x64``."""
    differing = [k for k, values in _values([j.params for j in jobs]).items() if len(values) > 1]
    words = short_keys(differing)
    names = [name_of(job.params, words) or "job" for job in jobs]
    if len(set(names)) < len(names):  # some values are too close to each other for few digits
        names = [f"{name} {job.key[:6]}" for name, job in zip(names, jobs, strict=True)]
    return [replace(job, name=name) for job, name in zip(jobs, names, strict=True)]
