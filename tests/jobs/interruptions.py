"""Short runs that end before their time, and what two runs must have in common."""

from typing import Any

import pytest
from omegaconf import DictConfig

from mlp.jobs import run_job
from mlp.runs import RunFolder, read_history, read_run
from mlp.runs.find import list_runs
from mlp.training import EpochEnded, Pruner
from tests.cases import composed

QUICK = ["data=digits", "tracking=none", "trainer.max_epochs=6", "threads=1"]
TIMES = ("timestamp", "seconds", "examples_per_second")


class Killer(Pruner):
    """Ends the process of a training after an epoch, as far as a test can bear it."""

    def __init__(self, epoch: int) -> None:
        self.epoch = epoch

    def after_epoch(self, event: EpochEnded) -> None:
        if event.epoch == self.epoch:
            raise KeyboardInterrupt


class Stopper(Pruner):
    """Ends a training in order."""

    def __init__(self, epoch: int) -> None:
        self.epoch = epoch

    def after_epoch(self, event: EpochEnded) -> str | None:
        return "that is enough" if event.epoch >= self.epoch else None


def short(*words: str) -> DictConfig:
    """Compose a short run; of two words with one key the later counts."""
    return composed(*{word.partition("=")[0]: word for word in [*QUICK, *words]}.values())


def finished(*words: str) -> RunFolder:
    """Return a run that nothing has interrupted."""
    return run_job(short(*words)).folder


def interrupted(*words: str, epoch: int = 4) -> RunFolder:
    """Return a run that ended in an epoch, with the checkpoints of the two before it."""
    often = "trainer.checkpoint_every=1e-9"
    with pytest.raises(KeyboardInterrupt):
        run_job(short(often, *words), pruner=Killer(epoch))
    return list_runs()[-1]


def weights(folder: RunFolder) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.weights.glob("*.npy")}


def figures(folder: RunFolder) -> tuple[Any, ...]:
    """What a run has come to, but for the time it took."""
    record = read_run(folder)
    rows = [{k: v for k, v in r.items() if k not in TIMES} for r in read_history(folder)]
    best = {k: v for k, v in record.metrics.items() if k not in TIMES}
    tested = record.test and record.test.metrics
    return record.status, record.stop_reason, record.epochs, best, tested, rows


def assert_same(one: RunFolder, other: RunFolder) -> None:
    assert weights(one) == weights(other)
    assert figures(one) == figures(other)
