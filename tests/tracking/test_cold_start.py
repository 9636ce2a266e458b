"""Processes that meet on a store that does not exist yet, and the lock under which it is made."""

import signal
import subprocess
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pytest
from filelock import FileLock

from mlp.base import RunError
from mlp.runs import find_run, open_run, read_run, undelivered_runs
from mlp.runs.find import list_runs
from mlp.tracking import MLflowTracking, ensure_mirror, mlflow_client, wait_for_delivery

pytestmark = pytest.mark.e2e

HOLD = """
import sys, time
from filelock import FileLock
with FileLock(sys.argv[1]):
    print("held", flush=True)
    time.sleep(60)
"""


def open_and_close_four(first: int) -> list[str]:
    """Record four empty runs, and wait until MLflow has them; in a process of its own."""
    from tests.cases import CONFIG, make_case

    case, folders = make_case(), []
    for number in range(first, first + 4):
        tracking = MLflowTracking().destination()
        config = CONFIG | {"name": f"starter {number}"}
        with open_run(tracking, config, [], case.dataset, case.parts, case.network) as run:
            ensure_mirror()
        folders.append(run.folder)
    wait_for_delivery(folders)
    return [folder.path.name for folder in folders]


def test_sixteen_runs_of_four_processes_that_start_at_once_all_succeed(runs: Path):
    """The store and the experiment are made once; nobody meets half of them."""
    with ProcessPoolExecutor(4, mp_context=get_context("spawn")) as pool:
        ids = {run_id for ids in pool.map(open_and_close_four, range(0, 16, 4)) for run_id in ids}
    assert {folder.path.name for folder in list_runs()} == ids
    assert len(ids) == 16
    assert all(read_run(folder).status == "FINISHED" for folder in list_runs())
    assert undelivered_runs() == []
    assert find_run("starter 15").path.name in ids


@pytest.mark.slow
def test_thirty_two_commands_that_start_at_once_all_succeed(runs: Path):
    """None of them waits for the store, and none fails, however long it takes to be made."""
    words = ["data=digits", "trainer.max_epochs=1", "model.hidden_sizes=[8]", "test=false"]
    command = [sys.executable, "-m", "mlp.run", *words]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE}
    processes = [subprocess.Popen(command, **quiet) for _ in range(32)]
    said = [process.communicate(timeout=300)[1] for process in processes]
    assert [process.returncode for process in processes] == [0] * 32, said
    assert set(said) == {b""}
    assert len(list_runs()) == 32
    assert undelivered_runs() == []


def test_a_lock_that_a_killed_process_held_blocks_nobody(tmp_path: Path):
    """All locks here are of this kind: the operating system gives them back."""
    lock = tmp_path / "a.lock"
    with subprocess.Popen([sys.executable, "-c", HOLD, lock], stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        assert not acquired(lock)
        holder.send_signal(signal.SIGKILL)
        holder.wait()
    assert lock.exists()
    assert acquired(lock)


def acquired(lock: Path) -> bool:
    """Tell whether a lock is free."""
    try:
        with FileLock(lock, timeout=0):
            return True
    except TimeoutError:
        return False


def test_a_process_that_holds_the_lock_and_hangs_is_told_of(
    runs: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("mlp.tracking.store.LOCK_TIMEOUT", 0.2)
    runs.mkdir()
    begin = time.monotonic()
    message = r"another process has held .*mlflow\.lock for 0\.2 s"
    with FileLock(runs / "mlflow.lock"), pytest.raises(RunError, match=message):
        mlflow_client()
    assert time.monotonic() - begin < 5


def test_a_folder_in_the_place_of_the_database_is_told_of(runs: Path):
    (runs / "mlflow.db").mkdir(parents=True)
    with pytest.raises(RunError, match=r"mlflow\.db is not a file"):
        mlflow_client()


@pytest.mark.parametrize("name", ["what?", "100%"])
def test_a_folder_that_has_no_address_is_told_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
):
    monkeypatch.setenv("MLP_RUNS", str(tmp_path / name))
    with pytest.raises(RunError, match="chooses another folder"):
        mlflow_client()
