"""What every test may rely on: runs of its own, one BLAS thread, and a command line to call."""

import gc
import logging
import os
import shutil
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before NumPy: the tests run side by side
os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"

import pytest

from mlp.runs import settle
from mlp.tracking import MLflowTracking, deliver
from tests.cases import Case, Finished, make_case, record_whole_run

if TYPE_CHECKING:
    from playwright.sync_api import Browser

# A shell has what it puts into the background ignore Ctrl-C, and nohup has it ignore SIGHUP.
# Children inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)
if hasattr(signal, "SIGHUP"):
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


class Said(NamedTuple):
    """What a command answered."""

    status: int
    out: str
    err: str


@pytest.fixture(autouse=True)
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of runs, empty and not the project's; nothing has been made there yet."""
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.setenv("MLP_RUNS", str(tmp_path / "runs"))
    return tmp_path / "runs"


@pytest.fixture
def mlp_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., Said]:
    """Call ``mlp run`` with arguments, in this process and in an empty folder."""
    from mlp.__main__ import main

    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setenv("HYDRA_FULL_ERROR", "")  # Hydra's state: the test takes it back
    monkeypatch.setattr(logging.getLogger(), "handlers", [])

    def call(*arguments: str) -> Said:
        monkeypatch.setattr(sys, "argv", ["mlp", "run", *arguments])
        with pytest.raises(SystemExit) as end:
            main()
        return Said(end.value.code or 0, *capsys.readouterr())

    return call


@pytest.fixture(scope="session")
def chromium() -> Iterator["Browser"]:
    """The browser of the system; who has none skips what needs it."""
    playwright = pytest.importorskip("playwright.sync_api", reason="no Playwright")
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        pytest.skip("no Chromium")
    root = ["--no-sandbox"] if os.geteuid() == 0 else []
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=path, args=root)
        yield browser
        browser.close()


def pytest_collection_finish() -> None:
    """Look for unused cycles seldom, and not among what stays to the end."""
    gc.freeze()
    gc.set_threshold(20_000)


@pytest.hookimpl(tryfirst=True)  # before -m selects
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what uses the command line or MLflow's store as end-to-end."""
    for item in items:
        if {"mlp_run", "store"} & set(getattr(item, "fixturenames", ())):
            item.add_marker("e2e")


def pytest_configure(config: pytest.Config) -> None:
    """Let MLflow warn about itself, as it does when it is imported and first opens a database."""
    config.addinivalue_line("filterwarnings", "ignore:The ``noload`` loader strategy")
    config.addinivalue_line("filterwarnings", "ignore:.*Any type hint is inferred as AnyType")


@pytest.fixture
def case() -> Case:
    return make_case()


@pytest.fixture
def without_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Draw none: they take longer than so short a training."""
    monkeypatch.setattr("mlp.jobs.train.draw_figures", lambda *_: None)


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of runs with an MLflow store, made once for all tests; it takes seconds."""
    return tmp_path_factory.mktemp("store")


@pytest.fixture
def tracked(store: Path, runs: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The runs' folder that has the MLflow store, in place of an empty one."""
    monkeypatch.setenv("MLP_RUNS", str(store))
    return store


@pytest.fixture(scope="session")
def finished(store: Path) -> Finished:
    """A run in MLflow that went all the way; not to be changed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        patch.setenv("MLP_RUNS", str(store))
        run = record_whole_run(make_case(), MLflowTracking(), name="golden delicious")
        deliver(run.folder)
        settle(run.folder, run.folder.record.read_bytes())
        return run
