"""What Hydra finds here by itself and calls for ``-m``: it hands over to mlp/sweep.

Hydra imports this module at every start, so that it imports nothing of weight.
"""

from collections.abc import Sequence
from typing import Any

from hydra.core.plugins import Plugins
from hydra.core.utils import JobReturn
from hydra.plugins.launcher import Launcher
from hydra.plugins.sweeper import Sweeper
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig


class MlpSweeper(Sweeper):
    """Runs a sweep (conf/hydra/sweeper/mlp.yaml)."""

    def setup(
        self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig
    ) -> None:
        """Take what Hydra has to give."""
        from mlp.sweep import check_launcher, share_environment

        check_launcher(config.hydra)
        share_environment()
        self.config, self.loader = config, hydra_context.config_loader
        self.launcher = Plugins.instance().instantiate_launcher(
            hydra_context=hydra_context, task_function=task_function, config=config
        )

    def sweep(self, arguments: list[str]) -> Any:
        """Run the sweep that the command line's words describe."""
        from mlp.sweep import CommandLine, run_sweep

        run_sweep(CommandLine(arguments, self.config, self.loader), self.launcher)


class LocalLauncher(Launcher):
    """Stands for an executor of mlp/sweep/executors, which reads the settings by itself."""

    def __init__(self, **settings: Any) -> None:
        pass

    def setup(
        self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig
    ) -> None:
        """Do nothing: the sweeper hands the jobs over one by one."""

    def launch(
        self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int
    ) -> Sequence[JobReturn]:
        """Refuse: Hydra's way to launch returns when all jobs are through, and not before."""
        raise NotImplementedError("this launcher works with hydra/sweeper=mlp only")


class RayLauncher(LocalLauncher):
    """Tasks of Ray (conf/hydra/launcher/ray.yaml)."""


class SubmititLauncher(LocalLauncher):
    """Processes of this machine (conf/hydra/launcher/submitit_local.yaml)."""


class SlurmLauncher(LocalLauncher):
    """Jobs of Slurm (conf/hydra/launcher/slurm.yaml)."""
