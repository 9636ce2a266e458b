"""Run after run in one process leaves nothing behind."""

import gc
import os
import threading
import tracemalloc
from pathlib import Path

import pytest

from mlp.config import compose
from mlp.jobs import run_job

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

WIDE = 1024  # its parameters, in one copy: 600 kB
N_RUNS = 3


def held() -> tuple[int, int, int]:
    """Bytes that Python and NumPy have taken and not given back, threads, open files."""
    gc.collect()
    n_files = len(os.listdir("/proc/self/fd")) if Path("/proc/self/fd").exists() else 0
    return tracemalloc.get_traced_memory()[0], threading.active_count(), n_files


@pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy")  # in MLflow
@pytest.mark.filterwarnings("ignore:.*Any type hint is inferred as AnyType")  # in MLflow
@pytest.mark.parametrize("tracking", ["none", "mlflow"])
def test_run_after_run_nothing_grows(runs: Path, tracking: str):
    """What MLflow keeps of each run, a path and its queues, is 30 kB; at most 1,024 of them."""
    words = ["data=digits", f"model.hidden_sizes=[{WIDE}]", "trainer.max_epochs=1"]

    def run(seed: int) -> None:
        result = run_job(compose([*words, f"tracking={tracking}", f"seed={seed}"]))
        assert result.record.status == "FINISHED"

    for seed in range(2):
        run(seed)
    tracemalloc.start()
    try:
        run(2)
        bytes_before, *before = held()
        for seed in range(3, 3 + N_RUNS):
            run(seed)
        bytes_after, *after = held()
    finally:
        tracemalloc.stop()
    assert after == before
    assert (bytes_after - bytes_before) / N_RUNS < 60_000
