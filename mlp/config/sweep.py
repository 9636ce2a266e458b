"""What a sweep is asked for: the keys of the ``sweep`` group, in conf/sweep/*.yaml."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from pydantic import NonNegativeInt, PositiveInt

from mlp.config.instantiation import build
from mlp.runs import check_name


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What every sweep can be told.

    Parameters
    ----------
    name : str, optional
        Another name makes another sweep of the same jobs.
    fresh : bool
        Start anew instead of going on with the same sweep's earlier start.
    dry_run : bool
        Show the plan and stop.
    max_failures : int, optional
        Begin no more jobs once so many have failed.
    test : {"winner", "all", "none"}
        Which of the finished jobs the test set is read for.
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
    """Points of a space, proposed one after another in view of what has come of the earlier ones.

    Parameters
    ----------
    sampler : {"tpe", "random", "cmaes", "grid"}
        CMA-ES learns about numbers that always apply, and draws the others at random.
    n_trials : int
        Of all starts together.
    n_startup : int
        Trials drawn at random before the sampler learns; so many, and 5 at least, have gone
        through before the median prunes.
    pruner : {"none", "median", "hyperband"}
        What ends a training early that does not promise much.
    warmup : int
        Epochs in which no training is pruned.
    seeds_per_trial : int
        A trial's value is the mean over trainings with so many seeds. The first of them is the
        one that may be pruned; the others follow when it was not.
    seed : int
        Of the sampler.
    batch : int
        Jobs given at once to a launcher of Hydra's; our own takes each when a worker is free.
    space : dict of str to dict
        The dimensions by dotted key (`mlp.sweep.search.space`). The command line may replace or add
        some, and fixes one by a single value.
    """

    sampler: Literal["tpe", "random", "cmaes", "grid"] = "tpe"
    n_trials: PositiveInt = 50
    n_startup: PositiveInt = 10
    pruner: Literal["none", "median", "hyperband"] = "median"
    warmup: PositiveInt = 5
    seeds_per_trial: PositiveInt = 1
    seed: NonNegativeInt = 0
    batch: PositiveInt = 4
    space: dict[str, Any] = field(default_factory=dict)


def read_settings(config: Mapping[str, Any]) -> Grid | Search:
    """Return the settings in a composed configuration's ``sweep`` group.

    Raises
    ------
    ConfigError
        For the first key that is unknown, of a wrong type or out of range.
    """
    from omegaconf import OmegaConf

    return build("sweep", OmegaConf.to_container(config["sweep"], resolve=True), Grid | Search)
