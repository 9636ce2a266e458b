"""Time and memory as one thing grows: epochs, rows, parameters, stored runs, planned jobs.

Each measurement is a process of its own, ``python -m bench.performance.growth rows 1000000``, which
prints its seconds; its memory is watched from outside.
"""

import json
import os
import shutil
import sys
from collections.abc import Callable
from math import log
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any
from uuid import uuid4

import numpy as np

import mlp
from bench.performance.processes import watch
from bench.performance.results import write
from mlp.base import generator
from mlp.data import Part, Parts, Scaler
from mlp.nn import MLP, Adam, Constant, SoftmaxCrossEntropy
from mlp.runs import find_run
from mlp.training import Trainer


def run(n_sizes: int | None) -> None:
    """Measure each axis at its first so many sizes, and store the result."""
    rows = []
    for axis, (sizes, _) in AXES.items():
        points = [point(axis, n) for n in sizes[:n_sizes]]
        rows.append({"axis": axis, "points": points, "exponent": exponent(points)})
        print(f"{axis}: seconds grow with the power {rows[-1]['exponent']:.2f}")
        write("growth", rows)


def point(axis: str, n: int) -> dict[str, float]:
    """Measure at one size."""
    with TemporaryDirectory() as place:
        watched = watch(["-m", "bench.performance.growth", axis, str(n)], threads=1, MLP_RUNS=place)
    seconds = float(watched.text.split()[-1])
    print(f"{axis:12} {n:>10,} {seconds:9.3f} s {watched.peak_mb:8.0f} MB")
    return {"n": n, "seconds": seconds, "mb": watched.peak_mb}


def exponent(points: list[dict[str, float]]) -> float:
    """Return k of seconds ~ n^k between the two largest sizes."""
    a, b = points[-2:]
    return log(b["seconds"] / a["seconds"]) / log(b["n"] / a["n"])


def epochs(n: int) -> float:
    """Train on 1,438 small digits for ``n`` epochs, as a run that is stored."""
    words = ("data=digits", "tracking=none", "trainer.patience=null", f"trainer.max_epochs={n}")
    return seconds(lambda: mlp.train(*words, quiet=True))


def rows(n: int) -> float:
    """Train for an epoch on ``n`` rows of 784 bytes, mapped from a file."""
    with TemporaryDirectory(dir=os.environ["MLP_RUNS"]) as place:
        path = Path(place, "x.npy")
        x = np.lib.format.open_memmap(path, "w+", np.uint8, (n, 784))
        some = np.random.default_rng(0).integers(0, 256, (1000, 784), np.uint8)
        for start in range(0, n, len(some)):
            x[start : start + len(some)] = some[: n - start]
        del x
        return an_epoch([30], np.load(path, mmap_mode="r"))


def parameters(n: int) -> float:
    """Train a layer of ``n`` parameters, about, on 20 batches of 128 rows."""
    x = np.random.default_rng(0).integers(0, 256, (20 * 128, 100), np.uint8)
    return an_epoch([n // 111], x)


def an_epoch(hidden_sizes: list[int], x: np.ndarray) -> float:
    """Return the seconds of the second epoch, with Adam and batches of 128."""
    y = np.arange(len(x)) % 10
    scaler = Scaler(np.zeros(x.shape[1], "float32"), np.full(x.shape[1], 1 / 255, "float32"))
    parts = Parts(Part(x, y, None, scaler), None, None, scaler)
    loss = SoftmaxCrossEntropy()
    network = MLP(hidden_sizes).build(x.shape[1], 10, loss, generator(0, "init"))
    outcome = Trainer(max_epochs=2, batch_size=128).fit(network, Adam(), Constant(), parts, 0)
    return outcome.history[-1]["seconds"]


def stored_runs(n: int) -> float:
    """Find the best of ``n`` stored runs, of which all but the last are in the index."""
    fill_store(n - 1)
    find_run("best")
    fill_store(1)
    return seconds(lambda: find_run("best"))


def runs_frame(n: int) -> float:
    """Make a table of ``n`` stored runs with their settings: ``mlp.runs()``."""
    fill_store(n)
    return seconds(mlp.runs)


def fill_store(n: int) -> None:
    """Add ``n`` copies of a short run, each with its own id."""
    if not (template := Path(os.environ["MLP_RUNS"], "template")).exists():
        mlp.train("debug=one_epoch", "data=digits", "tracking=none", quiet=True).folder.rename(
            template
        )
    record = json.loads((template / "run.json").read_text())
    for _ in range(n):
        folder = template.parent / uuid4().hex
        folder.mkdir()
        shutil.copy(template / "config.yaml", folder)
        (folder / "run.json").write_text(json.dumps(record | {"id": folder.name}))


def planned_jobs(n: int) -> float:
    """Plan a sweep of ``n`` jobs, without running it."""
    from mlp.__main__ import main

    sys.argv = ["mlp", "run", "-m", "sweep.dry_run=true", f"seed=range({n})"]
    return seconds(main)


def seconds(do: Callable[[], Any]) -> float:
    """Return how long a call takes."""
    begin = perf_counter()
    try:
        do()
    except SystemExit as end:  # of a command
        if end.code:
            raise
    return perf_counter() - begin


AXES: dict[str, tuple[list[int], Callable[[int], float]]] = {
    "epochs": ([10, 100, 1000, 5000], epochs),
    "rows": ([1000, 10_000, 100_000, 1_000_000], rows),
    "parameters": ([1000, 10_000, 100_000, 1_000_000, 10_000_000], parameters),
    "stored runs": ([10, 100, 1000, 10_000], stored_runs),
    "table of runs": ([10, 100, 1000], runs_frame),
    "planned jobs": ([10, 100, 1000], planned_jobs),
}

if __name__ == "__main__":
    print(AXES[sys.argv[1]][1](int(sys.argv[2])))
