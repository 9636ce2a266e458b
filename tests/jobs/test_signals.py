"""Ctrl-C, SIGTERM and SIGHUP, whenever they come: what was reached is stored, and goes on later."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from mlp.jobs import resume_run, run_job
from mlp.runs import RunFolder, read_history, read_run
from mlp.runs.find import list_runs
from tests.cases import composed
from tests.conftest import Said

pytestmark = pytest.mark.e2e

QUICK = ["data=digits", "tracking=none", "trainer.max_epochs=3", "threads=1"]
ENDLESS = ["trainer.max_epochs=1000000", "trainer.patience=null", "trainer.checkpoint_every=0.1"]

Signal = Callable[[str, int], None]


@pytest.fixture
def signal_when(monkeypatch: pytest.MonkeyPatch) -> Signal:
    """Return a function that has a signal arrive, once, when something is begun to be done."""

    def arrange(done: str, number: int) -> None:
        module, _, name = done.rpartition(".")
        do = getattr(sys.modules[module], name)

        def interrupted(*args: Any, **kwargs: Any) -> Any:
            monkeypatch.setattr(done, do)
            signal.raise_signal(number)
            return do(*args, **kwargs)

        monkeypatch.setattr(done, interrupted)

    return arrange


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize(
    "moment", ["mlp.runs.opening.collect_provenance", "mlp.training.predictor.save"]
)
def test_while_the_run_is_opened_or_its_weights_are_stored(
    mlp_run: Callable[..., Said], signal_when: Signal, moment: str, number: int
):
    signal_when(moment, number)
    said = mlp_run(*QUICK)
    [folder] = list_runs()
    record = read_run(folder)
    assert (said.status, record.status) == (128 + number, "KILLED")
    assert folder.weights.exists() == (record.epochs > 0)
    assert record.test is None
    assert f"mlp run resume={record.id[:8]}" in said.out
    assert not folder.alive.exists()


@pytest.mark.parametrize("figures", ["training", "evaluation"])
def test_when_all_is_done_but_the_figures(
    mlp_run: Callable[..., Said], signal_when: Signal, figures: str
):
    """The run is complete, and says so; the status tells of the signal."""
    signal_when(f"mlp.jobs.figures.draw_{figures}_figures", signal.SIGTERM)
    assert mlp_run(*QUICK).status == 143
    [folder] = list_runs()
    assert read_run(folder).status == "FINISHED"
    assert {path.name for path in folder.figures.iterdir()} >= {"curves.png", "confusion.png"}


def test_before_anything_is_written(mlp_run: Callable[..., Said], signal_when: Signal, runs: Path):
    signal_when("mlp.jobs.train.check_fit", signal.SIGINT)
    said = mlp_run(*QUICK)
    assert (said.status, said.err) == (130, "mlp: interrupted\n")
    assert not runs.exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_second_signal_ends_at_once(mlp_run: Callable[..., Said], signal_when: Signal, number: int):
    """What was not begun yet is left; the record is in order, and the run can go on."""
    signal_when("mlp.training.trainer.Outcome", signal.SIGINT)
    signal_when("mlp.training.predictor.save", number)
    said = mlp_run(*QUICK)
    assert said.status == 128 + number
    [folder] = list_runs()
    assert read_run(folder).status == "KILLED"
    assert not folder.figures.exists()
    assert "resume=" in said.out
    best, again = (
        result.record.best for result in (run_job(composed(*QUICK)), resume_run(folder.path.name))
    )
    assert best.metrics["val/loss"] == again.metrics["val/loss"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_process_goes_on_where_it_was_told_to_end(runs: Path, number: int):
    """For real, with the line that it prints itself."""
    process = subprocess.Popen(
        [sys.executable, "-m", "mlp.run", *QUICK, *ENDLESS],
        stdout=subprocess.PIPE,
        text=True,
    )
    while not list(runs.glob("*/checkpoints/epoch-*")):
        assert process.poll() is None
        time.sleep(0.02)
    process.send_signal(number)
    out, _ = process.communicate(timeout=20)
    assert process.returncode == 128 + number
    [folder] = list_runs()
    epochs = read_run(folder).epochs
    [line] = [line for line in out.splitlines() if line.startswith("resume")]
    words = line.split()[2:]  # after "resume" and "mlp"
    going_on = subprocess.Popen([sys.executable, "-m", "mlp", *words], stdout=subprocess.DEVNULL)
    while len(read_history(folder)) < epochs + 3:
        assert going_on.poll() is None
        time.sleep(0.02)
    going_on.send_signal(number)
    assert going_on.wait(20) == 128 + number
    assert [row["epoch"] for row in read_history(RunFolder(folder.path))] == [
        *range(1, read_run(folder).epochs + 1)
    ]


def test_terminal_that_is_closed(runs: Path):
    """The shell's SIGHUP ends the training in order, although nothing can be said any more."""
    keyboard, terminal = os.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "mlp.run", *QUICK, *ENDLESS],
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
        start_new_session=True,
    )
    os.close(terminal)
    os.set_blocking(keyboard, False)
    while not list(runs.glob("*/checkpoints/epoch-*")):
        assert process.poll() is None
        with suppress(BlockingIOError):
            os.read(keyboard, 10_000)
        time.sleep(0.02)
    os.close(keyboard)
    process.send_signal(signal.SIGHUP)
    assert process.wait(20) == 128 + signal.SIGHUP
    [folder] = list_runs()
    assert read_run(folder).status == "KILLED"
    assert (folder.weights / "W1.npy").exists()
    assert (folder.figures / "curves.png").exists()


def test_nohup_is_respected(runs: Path):
    process = subprocess.Popen(
        [sys.executable, "-m", "mlp.run", *QUICK, *ENDLESS],
        stdout=subprocess.DEVNULL,
        preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN),
    )
    while not list(runs.glob("*/checkpoints/epoch-*")):
        assert process.poll() is None
        time.sleep(0.02)
    process.send_signal(signal.SIGHUP)
    n = len(read_history(list_runs()[0]))
    while len(read_history(list_runs()[0])) < n + 3:
        assert process.poll() is None
        time.sleep(0.02)
    process.send_signal(signal.SIGTERM)
    assert process.wait(20) == 143
