"""The curves of a training for TensorBoard, if its writer is installed."""

from dataclasses import dataclass
from pathlib import Path

from mlp.base import require
from mlp.training import Callback, EpochEnded, Event, RunEnded, RunStarted


@dataclass
class TensorBoard(Callback):
    """Writes each epoch's metrics into a folder of the run's.

    Parameters
    ----------
    folder : str
        Its name; ``tensorboard --logdir runs`` finds it at any depth.
    """

    folder: str = "tensorboard"

    def __post_init__(self) -> None:
        require("tensorboardX", "tensorboard", "callbacks=tensorboard")

    def begin(self, folder: Path) -> None:
        """Choose the place."""
        self._place = folder / self.folder

    def __call__(self, event: Event) -> None:
        """Write the metrics of an epoch; those of epochs that are trained again are replaced."""
        from tensorboardX import SummaryWriter

        match event:
            case RunStarted():
                self._writer = SummaryWriter(str(self._place), purge_step=len(event.history) + 1)
            case EpochEnded():
                for name, value in event.metrics.items():
                    self._writer.add_scalar(name, value, event.epoch)
                self._writer.flush()
            case RunEnded():
                self._writer.close()
