"""The settings of a sweep: the keys of the ``sweep`` group, in conf/sweep/*.yaml."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from omegaconf import OmegaConf
from pydantic import NonNegativeInt, PositiveInt

from mlp.config.instantiation import build
from mlp.runs import check_name


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Settings that all sweeps share.

    Parameters
    ----------
    name : str, optional
        The same jobs under another name are another sweep.
    fresh : bool
        Start from scratch instead of continuing an earlier start of the same sweep.
    dry_run : bool
        Show the plan and stop.
    max_failures : int, optional
        Start no more jobs after this many failures.
    test : {"winner", "all", "none"}
        Which of the finished jobs are evaluated on the test set.
    """

    name: str | None = None
    fresh: bool = False
    dry_run: bool = False
    max_failures: PositiveInt | None = None
    test: Literal["winner", "all", "none"] = "winner"

    def __post_init__(self) -> None:
        check_name(self.name, "sweep.name")


@dataclass(frozen=True, kw_only=True)
class Grid(Settings):
    """Every combination of the axes' values.

    Parameters
    ----------
    axes : dict of str to str
        ``{"optimizer.lr": "0.001,0.003"}``: keys and values as on the command line, which may
        replace or add some.
    """

    axes: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Search(Settings):
    """Points of a space, each proposed in view of the earlier results.

    Parameters
    ----------
    sampler : {"tpe", "random", "cmaes", "grid"}
        CMA-ES learns about numbers that are part of every trial, and draws the rest at random.
    n_trials : int
        Total number of trials, over all starts of the sweep.
    n_startup : int, optional
        Trials drawn at random before the sampler learns; the median pruner waits until this many,
        and at least 5, have completed. None: a third of the trials, at most 10.
    enqueue_defaults : bool
        The first trial has the values of the configuration, as far as the space has them. Not in a
        grid, which goes through all values anyway.
    pruner : {"none", "median", "halving", "hyperband"}
        Ends unpromising trainings early.
    warmup : int
        Epochs in which no training is pruned; for halving and Hyperband the first rung.
    seeds_per_trial : int
        A trial's value is the mean over this many seeds. Only the first training may be pruned;
        the others follow if it was not.
    seed : int
        Of the sampler.
    batch : int
        Jobs handed at once to a launcher of Hydra's; our own takes a job whenever a worker is free.
    space : dict of str to dict
        The dimensions by dotted key (`mlp.sweep.search.space`). The command line may replace or add
        some, or fix one to a single value.
    """

    sampler: Literal["tpe", "random", "cmaes", "grid"] = "tpe"
    n_trials: PositiveInt = 50
    n_startup: PositiveInt | None = None
    enqueue_defaults: bool = True
    pruner: Literal["none", "median", "halving", "hyperband"] = "halving"
    warmup: PositiveInt = 3
    seeds_per_trial: PositiveInt = 1
    seed: NonNegativeInt = 0
    batch: PositiveInt = 4
    space: dict[str, Any] = field(default_factory=dict)

    @property
    def n_random(self) -> int:
        """``n_startup``, or what stands for null."""
        return self.n_startup or min(10, max(1, self.n_trials // 3))


def read_settings(config: Mapping[str, Any]) -> Grid | Search:
    """Return the settings in a composed configuration's ``sweep`` group.

    Raises
    ------
    ConfigError
        For the first key that is unknown, of a wrong type or out of range.
    """
    node = OmegaConf.to_container(config["sweep"], resolve=True)
    settings: Grid | Search = build("sweep", node, Grid | Search)
    return settings
