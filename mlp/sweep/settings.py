"""What a sweep is asked for: the keys of the ``sweep`` group, in conf/sweep/*.yaml."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from mlp.config import part
from mlp.errors import ConfigError
from mlp.tracking import check_name
from mlp.validate import at_least


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
    max_failures: int | None = None
    test: Literal["winner", "all", "none"] = "winner"

    def __post_init__(self) -> None:
        if self.max_failures is not None:
            at_least(1, max_failures=self.max_failures)
        try:
            check_name(self.name)
        except ConfigError as error:
            raise ValueError(str(error)) from None


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


def read_settings(config: Mapping[str, Any]) -> Settings:
    """Return the settings in a composed configuration's ``sweep`` group.

    Raises
    ------
    ConfigError
        For the first key that is unknown, of a wrong type or out of range.
    """
    from omegaconf import OmegaConf

    return part("sweep", OmegaConf.to_container(config["sweep"], resolve=True), Settings)
