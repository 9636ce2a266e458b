"""Train a stored configuration again.

Also a script: with the mlp of another commit on Python's path, it is that one's code that trains.
"""

import json
import sys
from collections.abc import Mapping
from typing import Any

from mlp.base import counted
from mlp.jobs.train import Result, run_job
from mlp.training import EpochEnded, Pruner


class EndOfRun(Pruner):
    """Ends a training after as many epochs as the run had that it repeats.

    Parameters
    ----------
    epochs : int
    early : bool
        Whether that run came to no regular end, so that nothing follows on its training.
    """

    def __init__(self, epochs: int, early: bool) -> None:
        self.epochs, self.early = epochs, early

    def after_epoch(self, event: EpochEnded) -> str | None:
        """Return a reason at the last epoch."""
        if event.epoch < self.epochs:
            return None
        self.pruned = self.early
        return f"the run had {counted(self.epochs, 'epoch')}"


def repeat(config: Mapping[str, Any], epochs: int, early: bool, **more: Any) -> Result:
    """Train as `run_job` does, for as many epochs as there were."""
    return run_job(config, pruner=EndOfRun(epochs, early), **more)


if __name__ == "__main__":
    sys.exit(repeat(**json.load(sys.stdin)).signal)
