"""Hydra's own settings: they work as Hydra documents them, except those that mlp decides."""

from logging import Filter, Formatter, Handler
from typing import Any

from hydra.experimental.callback import Callback
from omegaconf import DictConfig, OmegaConf

from mlp.base import ConfigError
from mlp.config.messages import shown
from mlp.config.targets import check_targets

FOLDERS = {  # as conf/config.yaml has them: Hydra makes none
    "run.dir": ".",
    "sweep.dir": ".",
    "sweep.subdir": ".",
    "output_subdir": None,
    "job.chdir": None,
}
LOGGING = Filter | Formatter | Handler
TARGETS = ("_target_", "()", "class")  # Hydra's word, and those of logging.config


def check_settings(hydra: DictConfig) -> None:
    """Raise ConfigError for a setting that moves folders, replaces our sweeper or calls anything.

    Parameters
    ----------
    hydra : DictConfig
        As composed from the files and the command line.
    """
    for key, right in FOLDERS.items():
        if (found := OmegaConf.select(hydra, key)) not in (right, False):
            raise ConfigError(
                f"hydra.{key} cannot be set: a run's folder lies in runs/, and the environment "
                f"variable MLP_RUNS moves that; got {shown(found)}"
            )
    settings: Any = OmegaConf.to_container(hydra, resolve=False)
    if settings["sweeper"] != {"_target_": "hydra_plugins.mlp_sweep.MlpSweeper"}:
        raise ConfigError(
            "hydra/sweeper cannot be chosen: with -m, mlp sweeps by itself; sweep=grid, sweep=tpe "
            "and others say how"
        )
    callbacks = OmegaConf.to_container(hydra.callbacks, resolve=True)
    check_targets("hydra.callbacks", callbacks, Callback)
    for key in ("hydra_logging", "job_logging"):
        check_targets(f"hydra.{key}", settings[key], LOGGING, TARGETS)
