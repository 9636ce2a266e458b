"""A busy machine: an epoch beside two processes that spin, at the defaults and on one thread."""

import os
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from bench.performance.processes import watch
from bench.performance.results import write
from mlp.runs import RunFolder, read_history

LOADS = {
    "784-128-64-10, batch 128, 3,600 images": ["trainer.max_epochs=12"],
    "784-128-64-10, batch 128, MNIST": ["data=mnist", "trainer.max_epochs=3"],
    "784-1024-1024-10, batch 256, a quarter of MNIST": [
        "data=mnist",
        "model.hidden_sizes=[1024,1024]",
        "trainer.batch_size=256",
        "trainer.limit_batches=50",
        "trainer.max_epochs=3",
    ],
}


def run(loads: Iterable[str], rounds: int) -> None:
    """Measure each load in turn at the defaults and with ``threads=1``, and store the result."""
    rows = []
    with neighbours(2):
        for load in loads:
            words = LOADS[load]
            if "data=mnist" in words and (folder := os.environ.get("MLP_MNIST_DIR")):
                words = [*words, f"data.dir={folder}"]
            times: dict[str, list[float]] = {"defaults": [], "threads=1": []}
            for _ in range(rounds):
                times["defaults"] += epochs(*words)
                times["threads=1"] += epochs(*words, "threads=1")
            defaults, one = (median(seconds) for seconds in times.values())
            print(f"{load:50} defaults {defaults:.3f} s, threads=1 {one:.3f} s an epoch")
            rows.append({"load": load, "defaults": defaults, "threads=1": one})
    write("busy", rows)


SPIN = """import os
parent = os.getppid()
while os.getppid() == parent:  # ends with it, however that ends
    for _ in range(1_000_000):
        pass
"""


@contextmanager
def neighbours(n: int) -> Iterator[None]:
    """Keep ``n`` processes busy."""
    spinning = [subprocess.Popen([sys.executable, "-c", SPIN]) for _ in range(n)]
    try:
        yield
    finally:
        for process in spinning:
            process.kill()
            process.wait()


def epochs(*words: str) -> list[float]:
    """Return the seconds of a run's epochs, but for the first, which touches everything first."""
    with TemporaryDirectory() as place:
        watch(
            ["-m", "mlp.run", "tracking=none", "trainer.patience=null", "test=false", *words],
            MLP_RUNS=place,
        )
        [history] = Path(place).glob("*/history.csv")
        return [epoch["seconds"] for epoch in read_history(RunFolder(history.parent))[1:]]
