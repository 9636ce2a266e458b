"""Processes that meet on a store that does not exist yet."""

from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

from mlp.tracking import MLflowTracking, find_run, list_runs, open_run, read_run


def open_and_close(number: int) -> str:
    """Record an empty run; in a process of its own."""
    from tests.tracking.conftest import CONFIG, make_case

    case = make_case()
    config = CONFIG | {"name": f"starter {number}"}
    with open_run(MLflowTracking(), config, [], case.dataset, case.parts, case.network) as run:
        pass
    return run.folder.path.name


def test_four_processes_that_start_at_once_all_succeed(runs: Path):
    """The store and the experiment are made once; nobody meets half of them."""
    with ProcessPoolExecutor(4, mp_context=get_context("spawn")) as pool:
        ids = set(pool.map(open_and_close, range(4)))
    assert {folder.path.name for folder in list_runs()} == ids
    assert len(ids) == 4
    assert all(read_run(folder)["status"] == "FINISHED" for folder in list_runs())
    assert find_run("starter 3").path.name in ids
