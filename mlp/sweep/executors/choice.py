"""Which executor a command line asks for, by ``hydra/launcher=`` and its settings."""

import json
import shutil
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from hydra.core.plugins import Plugins
from hydra.plugins.launcher import Launcher
from omegaconf import DictConfig, OmegaConf

from mlp.base import ConfigError
from mlp.config import construct
from mlp.sweep.executors.base import Executor
from mlp.sweep.executors.hydra_launcher import HydraLauncher

OURS = "hydra_plugins.mlp_sweep."
EXECUTORS = {  # module, class, the package that it needs, and the extra that brings that
    "LocalLauncher": ("local", "LocalPool", None, None),
    "RayLauncher": ("ray_tasks", "RayTasks", "ray", "ray"),
    "SubmititLauncher": ("submitit_jobs", "SubmititJobs", "submitit", "slurm"),
    "SlurmLauncher": ("submitit_jobs", "SlurmJobs", "submitit", "slurm"),
}


def check_launcher(hydra: DictConfig) -> None:
    """Raise ConfigError unless the launcher is an installed one that calls nothing else.

    Parameters
    ----------
    hydra : DictConfig
        What Hydra has composed for itself.
    """
    settings = OmegaConf.to_container(hydra.launcher, resolve=False)
    assert isinstance(settings, dict)
    target = settings.pop("_target_", None)
    installed = {f"{c.__module__}.{c.__name__}" for c in Plugins.instance().discover(Launcher)}
    if target not in installed or "_target_" in json.dumps(settings, default=str):
        raise ConfigError(f"hydra.launcher._target_ must be left as it is, got {target!r}")


def choose_executor(hydra: DictConfig, launcher: Launcher, batch: int | None) -> Executor:
    """Return the executor that stands behind a launcher.

    Parameters
    ----------
    hydra : DictConfig
        What Hydra has composed for itself.
    launcher : Launcher
        What it has made of that.
    batch : int, optional
        Jobs that a launcher of Hydra's is given at once.

    Raises
    ------
    ConfigError
        When a setting is not acceptable, or something is not installed.
    """
    choice = hydra.runtime.choices["hydra/launcher"]
    name = hydra.launcher._target_
    if not name.startswith(OURS):
        return HydraLauncher(launcher, choice, batch)
    module, cls, package, extra = EXECUTORS[name.removeprefix(OURS)]
    if package and find_spec(package) is None:
        raise ConfigError(f"hydra/launcher={choice} needs {package}: pip install 'mlp[{extra}]'")
    if cls == "SlurmJobs" and not shutil.which("srun"):
        raise ConfigError(f"hydra/launcher={choice} needs srun: start it where Slurm is")
    settings: Any = OmegaConf.to_container(hydra.launcher, resolve=True)
    del settings["_target_"]
    executors = import_module(f"mlp.sweep.executors.{module}")
    executor: Executor = construct(getattr(executors, cls), settings, "hydra.launcher")
    return executor
