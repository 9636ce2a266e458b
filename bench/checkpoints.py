"""What checkpoints cost a training, at the defaults: the share of the time that goes into them.

    python bench/checkpoints.py [FOLDER]

MNIST's training images, 784-128-64-10 with Adam, then 784-1024-1024-10, which has 15 MB of state;
FOLDER holds the four IDX files (default: data/mnist). The time inside the writing is measured, so
that other load on the machine does not matter.
"""

import argparse
import tempfile
from pathlib import Path
from time import perf_counter

from mlp.base import generator
from mlp.data import Mnist, Parts
from mlp.nn import MLP, Adam, Constant, SoftmaxCrossEntropy
from mlp.training import Checkpoints, Trainer
from mlp.training.progress import Progress

SECONDS = 30.0  # of each training


class Timed(Checkpoints):
    """Checkpoints that know how long they took."""

    seconds, n = 0.0, 0

    def write(self, progress: Progress) -> None:
        begin = perf_counter()
        super().write(progress)
        self.seconds += perf_counter() - begin
        self.n += 1


def measure(parts: Parts, n_in: int, hidden_sizes: list[int]) -> str:
    """Train for a while, and return what the checkpoints took, in words."""
    network = MLP(hidden_sizes).build(n_in, 10, SoftmaxCrossEntropy(), generator(0, "init"))
    trainer = Trainer(max_epochs=10_000, patience=None, max_seconds=SECONDS)
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as place:
        checkpoints = Timed(Path(place, "checkpoints"), trainer.checkpoint_every)
        outcome = trainer.fit(network, Adam(lr=1e-3), Constant(), parts, 0, checkpoints=checkpoints)
    each = checkpoints.seconds / max(1, checkpoints.n)
    return (
        f"{'-'.join(map(str, [n_in, *hidden_sizes, 10]))}: {outcome.epochs} epochs in "
        f"{outcome.seconds:.1f} s, {checkpoints.n} checkpoints of {1e3 * each:.0f} ms: "
        f"{checkpoints.seconds / outcome.seconds:.2%}"
    )


def main() -> None:
    """Measure, and print a line for each network."""
    parser = argparse.ArgumentParser(description="Measure what checkpoints cost.")
    parser.add_argument("folder", nargs="?", help="of MNIST's IDX files")
    source = Mnist(dir=parser.parse_args().folder)
    dataset = source.load()
    parts = source.parts(dataset, seed=0)
    for hidden_sizes in ([128, 64], [1024, 1024]):
        print(measure(parts, dataset.n_in, hidden_sizes))


if __name__ == "__main__":
    main()
