"""What Hydra finds here by itself and calls for ``-m``: it hands over to mlp/sweep.

Hydra imports this module at every start, so that it imports nothing of weight.
"""

from typing import Any

from hydra.plugins.sweeper import Sweeper
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig


class MlpSweeper(Sweeper):
    """Runs a sweep (conf/hydra/sweeper/mlp.yaml)."""

    def setup(
        self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig
    ) -> None:
        """Take what Hydra has to give."""
        self._given = config, hydra_context, task_function

    def sweep(self, arguments: list[str]) -> Any:
        """Run the sweep that the command line's words describe."""
        from mlp.sweep import CommandLine, run_sweep

        run_sweep(CommandLine(arguments, *self._given))
