"""The executor that a command line asks for by ``hydra/launcher=`` and its settings."""

import json
from typing import Any

from hydra.core.plugins import Plugins
from hydra.plugins.launcher import Launcher
from omegaconf import OmegaConf

from mlp.base import ConfigError
from mlp.config import build
from mlp.sweep.composer import CommandLine
from mlp.sweep.executors.base import Executor
from mlp.sweep.executors.hydra_launcher import HydraLauncher


def choose_executor(line: CommandLine, batch: int | None) -> Executor:
    """Return the executor: one of ours, or one that stands for a launcher plugin of Hydra's.

    Parameters
    ----------
    line : CommandLine
    batch : int, optional
        Jobs that a launcher of Hydra's is given at once; by default all.

    Raises
    ------
    ConfigError
        When a setting is not acceptable, or something is not installed.
    """
    node: Any = OmegaConf.to_container(line.config.hydra.launcher, resolve=True)
    plugins = Plugins.instance()
    installed = {f"{c.__module__}.{c.__name__}" for c in plugins.discover(Launcher)}
    target = node.get("_target_")
    if str(target) not in installed:
        executor: Executor = build("hydra.launcher", node, Executor)
        return executor
    if json.dumps(node, default=str).count("_target_") > 1:
        raise ConfigError("hydra.launcher: no setting of a launcher has a _target_")
    launcher = plugins.instantiate_launcher(line.context, line.task, line.config)
    name = line.config.hydra.runtime.choices["hydra/launcher"]
    return HydraLauncher(launcher, name, 1 if name == "basic" else batch)  # it runs one at a time
