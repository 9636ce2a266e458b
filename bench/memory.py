"""What a run takes of memory: the mnist preset, against the sum that it should be. Linux.

    python bench/memory.py [key=value ...]

The parts of a run are made in the order in which it makes them, and the process is measured after
each. Memory-mapped data count only as far as they were touched, and are shared with every other
process that reads the same data set.
"""

import os
import sys
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # each thread has buffers of its own

from mlp.base import generator
from mlp.config import Job, check, compose
from mlp.data import Parts
from mlp.nn import Network

MB = 2**20


def resident(field: str = "VmRSS") -> float:
    """Return what this process holds, or has held at most (``VmHWM``), in MB."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(field)) / 1024


def expected(job: Job, parts: Parts, network: Network) -> dict[str, float]:
    """Return the sizes that follow from the configuration, in MB."""
    trainer, size = job.trainer, network.dtype.itemsize
    n_copies = 3 + len(job.optimizer.slots)  # values, gradients, best epoch's, optimizer's

    def buffers(n: int) -> float:
        """Workspace and batch for ``n`` rows: the layers' arrays, the inputs raw and scaled."""
        ws = network.workspace(n)
        arrays = [array for named in (*ws.layers, ws.loss) for array in vars(named).values()]
        n_bytes = sum(array.nbytes for array in arrays)
        return (n_bytes + n * network.n_in * (size + parts.train.x.itemsize)) / MB

    n_eval = min(trainer.eval_batch_size, len(parts.val or parts.train))
    return {
        "parameters": network.params.nbytes * n_copies / MB,
        f"batch of {trainer.batch_size}": buffers(trainer.batch_size),
        f"evaluation of {n_eval}": buffers(n_eval),
    }


def show(what: str, megabytes: float, since: float = 0.0) -> float:
    """Print a line, and return what was measured."""
    print(f"{what:42} {megabytes:8.1f} MB" + (f"  (+{megabytes - since:.1f})" if since else ""))
    return megabytes


def main() -> None:
    """Measure."""
    words = sys.argv[1:] or ["experiment=mnist"]
    job = check(compose([*words, "trainer.max_epochs=2", "tracking=none"]))
    before = show("Python, NumPy, Hydra", resident())
    dataset = job.data.load()
    show("the data, mapped and read once", resident(), before)
    print(
        f"{'    of which arrays':42} {sum(a.nbytes for a in dataset.arrays.values()) / MB:8.1f} MB"
    )
    parts = job.data.parts(dataset, job.seed)
    rng = generator(job.seed, "init")
    split = show("split and scaled", resident())
    network = job.model.build(dataset.n_in, dataset.n_classes, job.loss, rng)
    job.trainer.fit(network, job.optimizer, job.schedule, parts, job.seed)
    show("a training, at its peak", resident("VmHWM"), split)
    sizes = expected(job, parts, network)
    for name, size in sizes.items():
        show(f"    expected: {name}", size)
    show("    expected in all", sum(sizes.values()))


if __name__ == "__main__":
    main()
