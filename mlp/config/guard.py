"""Hydra's own settings, which no file may change: neither a preset nor one of the user's.

They say which folders Hydra makes, what it imports and which objects it calls, and all that before
our code has its turn. The command line's words are looked at one by one
(`mlp.config.compose.accepted`); here, what all files together have come to.
"""

from typing import Any

import hydra._internal.hydra as hydra_main
from hydra._internal.config_loader_impl import ConfigLoaderImpl
from omegaconf import DictConfig, OmegaConf

from mlp.base import ConfigError

SILENT = {"version": 1, "root": None, "disable_existing_loggers": False}
FIXED: dict[str, Any] = {
    "run.dir": ".",
    "sweep.dir": "${oc.env:MLP_SCRATCH,.}",
    "sweep.subdir": "${hydra.job.num}",
    "sweeper": {"_target_": "hydra_plugins.mlp_sweep.MlpSweeper"},
    "output_subdir": None,
    "callbacks": {},
    "searchpath": [],
    "hydra_logging": SILENT,
    "job_logging": SILENT,
    "job.chdir": None,
    "job.env_set": {},
    "job.env_copy": [],
}


class GuardedLoader(ConfigLoaderImpl):
    """Hydra's loader, which lets nothing out that would have Hydra do other things."""

    def load_configuration(self, *args: Any, **kwargs: Any) -> DictConfig:
        """Compose as Hydra does; ConfigError for a setting of Hydra's that is not as it should be.

        A sweep's jobs are composed here, too.
        """
        config = super().load_configuration(*args, **kwargs)
        settings = OmegaConf.to_container(config.hydra, resolve=False)
        for key, right in FIXED.items():
            found: Any = settings
            for part in key.split("."):
                found = found[part]
            if found != right:
                raise ConfigError(f"hydra.{key} cannot be set, and a file of conf/ sets it")
        return config


def guard_hydra() -> None:
    """Let Hydra use the guarded loader: it makes its loader itself, and takes none from us."""
    hydra_main.ConfigLoaderImpl = GuardedLoader  # type: ignore[attr-defined]
