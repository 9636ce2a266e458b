"""Sweeps from the command line: what is run, said and left behind, and how they go on."""

import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hydra.core.plugins import Plugins
from hydra.plugins.launcher import Launcher

from mlp.base import RunError, runs_dir
from mlp.runs import Children, Record, RunFolder, find_run, list_sweeps, read_history, read_run
from mlp.tracking import mlflow_client, read_counterpart
from tests.conftest import Said

pytestmark = pytest.mark.e2e

Command = Callable[..., Said]
QUICK = ("-m", "data=digits", "tracking=none", "model.hidden_sizes=[8]", "trainer.max_epochs=2")
LONG = ("trainer.max_epochs=1000000", "trainer.patience=1000000", "trainer.max_seconds=120")
DIVERGING = ("loss=mean_squared_error", "loss.output_activation=identity", "optimizer=sgd")


def children(sweep: Record | None = None) -> list[Record]:
    return Children((sweep or list_sweeps()[-1]).id).read()


def statuses() -> Counter[str]:
    return Counter(record.status for record in children())


def start(
    *words: str, output: int = subprocess.DEVNULL, errors: int = subprocess.DEVNULL
) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "mlp.run", *words]
    return subprocess.Popen(
        command, text=True, stdout=output, stderr=errors, start_new_session=True
    )


def wait_for(condition: Callable[[], object], process: subprocess.Popen[str]) -> None:
    begin = time.monotonic()
    while not condition():
        assert process.poll() is None
        assert time.monotonic() < begin + 60
        time.sleep(0.05)


def training(runs: Path, n: int) -> bool:
    """Whether so many jobs have trained an epoch and go on."""
    under_way = [record for record in children() if record.status == "RUNNING"]
    return sum(bool(read_history(RunFolder(runs / r.id))) for r in under_way) == n


def processes(session: int) -> list[int]:
    """The processes of a session, dead ones that nobody has waited for left out."""
    listing = subprocess.run(
        ["ps", "-eo", "pid=,sid=,stat="], text=True, capture_output=True, check=True
    ).stdout
    rows = [line.split() for line in listing.splitlines()]
    return [int(pid) for pid, sid, stat in rows if int(sid) == session and stat[0] != "Z"]


def wait_for_end(session: int) -> None:
    begin = time.monotonic()
    while processes(session):
        assert time.monotonic() < begin + 20
        time.sleep(0.1)


class TestRun:
    def test_leaves_a_parent_and_its_children(self, mlp_run: Command, runs: Path):
        said = mlp_run(*QUICK, "optimizer.lr=0.01,0.001", "seed=range(2)")
        assert said.status == 0
        [sweep] = list_sweeps()
        assert sweep.status == "FINISHED"
        assert sweep.name == f"lr × seed {sweep.id[:8]}"
        assert sweep.counts["finished"] == 4
        assert sweep.axes == {"optimizer.lr": [0.01, 0.001], "seed": [0, 1]}
        assert {record.name for record in children()} == {
            f"lr={lr} seed={seed}" for lr in (0.01, 0.001) for seed in (0, 1)
        }
        best = min(children(), key=lambda record: record.metrics["val/loss"])
        assert sweep.best.run == best.id
        assert [bool(r.test) for r in children()].count(True) == 1  # the winner's
        assert (runs / sweep.id / "leaderboard.csv").exists()
        assert "4/4  finished" in said.out
        assert best.id[:8] in said.out

    def test_a_child_can_be_repeated_alone(self, mlp_run: Command):
        mlp_run(*QUICK, "optimizer=sgd,adam", "sweep.test=none")
        child = children()[0]
        command = shlex.split(child.command)
        assert command[:2] == ["mlp", "run"]
        subprocess.run([sys.executable, "-m", *command], check=True, capture_output=True)
        alone = read_run(find_run("latest"))
        assert alone.id != child.id
        assert alone.metrics["val/loss"] == child.metrics["val/loss"]

    def test_dry_run_writes_nothing(self, mlp_run: Command, runs: Path):
        said = mlp_run(*QUICK, "seed=1,2,2", "sweep.dry_run=true")
        assert said.status == 0
        assert "2 jobs" in said.out
        assert "1 more would repeat one of these" in said.out
        assert "seed=2" in said.out
        assert not runs.exists()

    def test_an_empty_axis_is_a_mistake(self, mlp_run: Command, runs: Path):
        said = mlp_run(*QUICK, "seed=range(3,1)")
        assert (said.status, said.out) == (2, "")
        assert said.err == "mlp: the axis 'seed=range(3,1)' has no values\n"
        assert not runs.exists()


class TestFailure:
    def test_of_one_job_leaves_the_others(self, mlp_run: Command, runs: Path):
        said = mlp_run(*QUICK, *DIVERGING, "optimizer.lr=1e9,0.1,0.01", "seed=range(2)", "seed=0")
        assert said.status == 1
        assert statuses() == {"FINISHED": 2, "FAILED": 1}
        [failed] = [record for record in children() if record.status == "FAILED"]
        assert f"failed  lr=1e+09: {failed.stop_reason} (run {failed.id[:8]})" in said.out
        assert (runs / failed.id / "traceback.txt").exists()
        assert list_sweeps()[0].status == "FAILED"
        assert list_sweeps()[0].stop_reason == "2 of 3 jobs finished"

    def test_is_tried_again_by_the_same_line(self, mlp_run: Command):
        words = [*QUICK, *DIVERGING, "optimizer.lr=1e9,0.1"]
        for n_failed in (1, 2):
            assert mlp_run(*words).status == 1
            assert statuses() == {"FINISHED": 1, "FAILED": n_failed}

    def test_before_there_is_a_run_counts_too(
        self, mlp_run: Command, monkeypatch: pytest.MonkeyPatch
    ):
        def refuse(*_: object, **__: object) -> None:
            raise RunError("no run can be opened")

        monkeypatch.setattr("mlp.sweep.worker.run_job", refuse)
        words = [*QUICK, "sweep=random", "sweep.n_trials=2", "model.dropout=0", "seed=1"]
        said = mlp_run(*words, "hydra/launcher=basic")
        assert said.status == 1
        assert "no run can be opened" in said.out
        assert (list_sweeps()[0].status, list_sweeps()[0].counts["failed"]) == ("FAILED", 2)

    def test_a_launcher_that_gives_up_is_told_of(
        self, mlp_run: Command, monkeypatch: pytest.MonkeyPatch
    ):
        def give_up(*_: object, **__: object) -> None:
            raise OSError("no queue")

        [basic] = [c for c in Plugins.instance().discover(Launcher) if "Basic" in c.__name__]
        monkeypatch.setattr(basic, "launch", give_up)
        said = mlp_run(*QUICK, "seed=1,2", "hydra/launcher=basic")
        assert (said.status, said.err) == (1, "")
        assert "mlp: the launcher gave up: OSError: no queue" in said.out
        assert list_sweeps()[0].status == "FAILED"

    def test_of_the_folder_of_runs_is_told_before_anything_runs(self, mlp_run: Command, runs: Path):
        runs.write_text("a file")
        said = mlp_run(*QUICK, "seed=1,2")
        assert said.status == 2
        assert said.err.startswith(f"mlp: the folder of the runs, {runs}, cannot be made")

    def test_while_it_is_opened_leaves_no_running_sweep(
        self, mlp_run: Command, monkeypatch: pytest.MonkeyPatch
    ):
        def interrupt(*_: object) -> None:
            raise KeyboardInterrupt

        monkeypatch.setattr("mlp.sweep.lifecycle.ensure_mirror", interrupt)
        assert mlp_run(*QUICK, "seed=1,2").status == 130
        assert list_sweeps()[0].status == "KILLED"

    def test_too_many_stop_the_sweep(self, mlp_run: Command):
        words = [*QUICK, *DIVERGING, "optimizer.lr=1e9", "seed=range(6)"]
        said = mlp_run(*words, "sweep.max_failures=2", "hydra.launcher.workers=1")
        assert said.status == 1
        assert statuses() == {"FAILED": 2}
        assert list_sweeps()[0].status == "FAILED"
        assert "sweep.max_failures=2 reached: no more jobs were begun" in said.out
        mlp_run(*words, "sweep.max_failures=1", "hydra.launcher.workers=1")
        assert statuses() == {"FAILED": 3}
        assert len({record.sweep.key for record in children()}) == 3  # another one first


class TestContinuation:
    def test_trains_nothing_twice(self, mlp_run: Command):
        words = [*QUICK, "seed=range(3)"]
        mlp_run(*words, "sweep.test=none")
        done = {record.id for record in children()}
        said = mlp_run(*words, "sweep.test=none", "hydra.launcher.workers=1")
        assert said.status == 0
        assert "from an earlier start: 3 finished" in said.out
        assert {record.id for record in children()} == done
        assert len(list_sweeps()) == 1

    @pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy")  # in MLflow
    def test_with_mlflow_of_what_was_begun_without(self, mlp_run: Command):
        mlp_run(*QUICK, "seed=1,2", "sweep.max_failures=1")
        words = [word for word in QUICK if word != "tracking=none"]
        shutil.rmtree(runs_dir() / children()[0].id)
        said = mlp_run(*words, "seed=1,2")
        assert (said.status, statuses()) == (0, {"FINISHED": 2})
        sweep = RunFolder.of(list_sweeps()[0].id)
        page = mlflow_client().get_run(read_counterpart(sweep).run_id)
        assert page.info.status == "FINISHED"
        assert "2 of 2 jobs finished" in page.data.tags["mlflow.note.content"]

    def test_of_a_finished_sweep_changes_nothing(self, mlp_run: Command, runs: Path):
        """Neither its record, which is what MLflow shows, nor any other file."""
        words = [*QUICK, "seed=1,2"]
        mlp_run(*words)
        before = {path: path.stat().st_mtime_ns for path in runs.rglob("*") if path.is_file()}
        said = mlp_run(*words)
        assert said.status == 0
        assert "from an earlier start: 2 finished" in said.out
        assert list_sweeps()[0].best.run[:8] in said.out  # the leaderboard
        after = {path: path.stat().st_mtime_ns for path in runs.rglob("*") if path.is_file()}
        assert after == before

    def test_test_sets_are_read_later_when_that_is_asked_for(self, mlp_run: Command):
        mlp_run(*QUICK, "seed=1,2", "sweep.test=none")
        assert not any(record.test for record in children())
        mlp_run(*QUICK, "seed=1,2", "sweep.test=all")
        assert all(record.test for record in children())

    def test_the_line_that_goes_on_does_not_begin_anew(self, mlp_run: Command):
        mlp_run(*QUICK, "seed=1,2", "sweep.fresh=true")
        assert list_sweeps()[0].command.endswith("seed=1,2")

    def test_is_given_up_by_fresh_and_by_a_name(self, mlp_run: Command):
        for words in ([], ["sweep.fresh=true"], ["sweep.name=other"]):
            mlp_run(*QUICK, "seed=1,2", *words)
        assert [len(children(sweep)) for sweep in list_sweeps()] == [2, 2, 2]

    def test_waits_for_another_process_with_the_same_sweep(self):
        words = [*QUICK, "seed=range(6)"]
        both = [start(*words, output=subprocess.PIPE) for _ in range(2)]
        said = [process.communicate(timeout=60)[0] for process in both]
        assert [process.returncode for process in both] == [0, 0]
        assert len(list_sweeps()) == 1
        assert statuses() == {"FINISHED": 6}
        assert any("another process is running this sweep" in text for text in said)


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
class TestEnd:
    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
    def test_by_a_signal_is_recorded_and_leaves_no_process(self, runs: Path, number: int):
        words = [*QUICK, *LONG, "seed=range(3)", "hydra.launcher.workers=2"]
        process = start(*words, output=subprocess.PIPE)
        wait_for(lambda: list_sweeps() and training(runs, 2), process)
        process.send_signal(number)
        said, _ = process.communicate(timeout=30)
        assert process.returncode == 128 + number
        assert "0 of 3 jobs finished, then: interrupted\n" in said
        assert f"go on  {list_sweeps()[0].command}\n" in said
        assert statuses() == {"KILLED": 2}
        assert {record.stop_reason for record in children()} == {"stopped by SIGTERM"}
        assert list_sweeps()[0].status == "KILLED"
        wait_for_end(process.pid)

    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
    def test_by_a_signal_to_the_whole_group_stores_the_weights(self, runs: Path, number: int):
        """As from a terminal that is closed, or a scheduler; the workers hear of it twice."""
        words = [*QUICK, *LONG, "seed=range(2)", "hydra.launcher.workers=2"]
        process = start(*words, errors=subprocess.PIPE)
        wait_for(lambda: list_sweeps() and training(runs, 2), process)
        os.killpg(process.pid, number)
        _, complaints = process.communicate(timeout=30)
        assert process.returncode == 128 + number
        assert complaints in ("", "mlp: interrupted\n")
        assert statuses() == {"KILLED": 2}
        for record in children():
            assert record.best
            assert (runs / record.id / "weights" / "W1.npy").exists()
        wait_for_end(process.pid)

    def test_a_full_disk_for_a_moment_ends_no_sweep(
        self, mlp_run: Command, monkeypatch: pytest.MonkeyPatch
    ):
        opened = Path.open

        def full(path: Path, mode: str = "r", *args: Any, **kwargs: Any) -> Any:
            if mode == "a" and path.parent.name == list_sweeps()[0].id:
                raise OSError(28, "No space left on device")
            return opened(path, mode, *args, **kwargs)

        monkeypatch.setattr(Path, "open", full)
        assert mlp_run(*QUICK, "seed=1,2").status == 0

    def test_of_the_sweeper_alone_ends_its_workers(self, runs: Path):
        process = start(*QUICK, *LONG, "seed=range(2)", "hydra.launcher.workers=2")
        wait_for(lambda: list_sweeps() and training(runs, 2), process)
        process.kill()
        process.wait()
        wait_for_end(process.pid)
        assert statuses() == {"KILLED": 2}

    def test_of_one_worker_costs_its_job_only(self, runs: Path):
        words = ["trainer.max_epochs=1000000,1,2,3", "trainer.patience=1000000"]
        words.append("hydra.launcher.workers=2")
        process = start(*QUICK, *words, output=subprocess.PIPE)
        wait_for(lambda: list_sweeps() and statuses() == {"FINISHED": 3, "RUNNING": 1}, process)
        [running] = [record for record in children() if record.status == "RUNNING"]
        wait_for(lambda: training(runs, 1), process)
        os.kill(running.process.pid, signal.SIGKILL)
        said, _ = process.communicate(timeout=30)
        assert process.returncode == 1
        assert f"killed  {running.name}: its process died (SIGKILL)" in said
        assert statuses() == {"FINISHED": 3, "KILLED": 1}
        assert read_run(RunFolder(runs / running.id)).stop_reason == "its process died"
        assert list_sweeps()[0].status == "FAILED"
