"""What brings runs to MLflow: its loop, in this process, and the process that it runs in."""

import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from mlp.runs import (
    Recorder,
    RunFolder,
    delivery_failure,
    open_run,
    read_history,
    read_run,
    undelivered_runs,
    update_run,
)
from mlp.tracking import (
    MLflowTracking,
    ensure_mirror,
    mlflow_client,
    read_counterpart,
    wait_for_delivery,
)
from mlp.tracking.mirror import Mirror
from mlp.tracking.mirror_start import lock_file, locked
from tests.cases import CONFIG, Case

pytestmark = pytest.mark.e2e


@pytest.fixture(autouse=True)
def _empty_outbox(tracked: Path) -> None:
    """The store is shared by all tests, and the others leave runs and a mirror behind."""
    kill_mirror()
    for folder in undelivered_runs():
        folder.undelivered.unlink()


def opened(case: Case, **config: Any) -> Recorder:
    tracking = MLflowTracking().destination()
    return open_run(tracking, CONFIG | config, [], case.dataset, case.parts, case.network)


def stored(folder: RunFolder) -> Any:
    """Return the MLflow run of a recorded run."""
    return mlflow_client().get_run(read_counterpart(folder).run_id)


def steps(folder: RunFolder) -> list[int]:
    """Return the epochs that MLflow has."""
    history = mlflow_client().get_metric_history(read_counterpart(folder).run_id, "lr")
    return [metric.step for metric in history]


@pytest.fixture
def mirror(monkeypatch: pytest.MonkeyPatch) -> Mirror:
    monkeypatch.setattr("mlp.tracking.mirror.INTERVAL", 0.0)
    return Mirror()


class TestStep:
    def test_a_run_is_followed_from_its_opening_to_its_end(self, case: Case, mirror: Mirror):
        seen = []

        def look(event: Any) -> None:
            assert mirror.step()
            seen.append(len(steps(run.folder)))

        with opened(case) as run:
            assert mirror.step()
            assert stored(run.folder).info.status == "RUNNING"
            assert stored(run.folder).data.params["optimizer.lr"] == "0.01"
            case.train(run, look)
        assert seen == [0, 1, 2, 3, 3]
        assert undelivered_runs() == [run.folder]
        assert mirror.step()
        assert stored(run.folder).info.status == "FINISHED"
        assert undelivered_runs() == []
        assert not mirror.step()

    def test_what_a_dead_mirror_sent_is_not_sent_again(self, case: Case, mirror: Mirror):
        with opened(case) as run:
            case.train(run, lambda event: mirror.step())
            Mirror().step()
        Mirror().step()
        assert steps(run.folder) == [1, 2, 3]

    def test_a_run_is_delivered_once_its_figures_are_drawn(self, case: Case, mirror: Mirror):
        """That is, when its process releases it: the record has ended before."""
        with opened(case) as run:
            run.end()
            assert read_run(run.folder).status == "FINISHED"
            mirror.step()
            assert stored(run.folder).info.status == "RUNNING"
        mirror.step()
        assert stored(run.folder).info.status == "FINISHED"

    def test_an_orphaned_run_is_killed_and_delivered(self, case: Case, mirror: Mirror):
        if (pid := os.fork()) == 0:
            case.train(opened(case, name="an orphan"))
            os._exit(0)
        os.waitpid(pid, 0)
        [folder] = undelivered_runs()
        mirror.step()
        mirror.step()
        assert read_run(folder).status == stored(folder).info.status == "KILLED"
        assert steps(folder) == [1, 2, 3]
        assert undelivered_runs() == []

    def test_a_change_during_a_delivery_is_delivered_too(
        self, case: Case, mirror: Mirror, monkeypatch: pytest.MonkeyPatch
    ):
        from mlp.tracking import mirror as module

        def deliver_and_change(*arguments: Any) -> None:
            deliver(*arguments)
            update_run(run.folder, stop_reason="another")

        deliver = module.deliver
        with opened(case) as run:
            pass
        with monkeypatch.context() as patch:
            patch.setattr(module, "deliver", deliver_and_change)
            mirror.step()
        assert undelivered_runs() == [run.folder]
        mirror.step()
        assert undelivered_runs() == []
        assert stored(run.folder).data.tags["mlp.stop_reason"] == "another"

    def test_a_run_of_another_store_is_left_to_its_mirror(self, case: Case, mirror: Mirror):
        with opened(case) as run:
            pass
        update_run(run.folder, tracking={"uri": "http://127.0.0.1:9", "experiment": "mlp"})
        assert not mirror.step()
        assert read_counterpart(run.folder) is None
        assert undelivered_runs() == [run.folder]
        run.folder.undelivered.unlink()

    def test_a_run_that_was_deleted_is_forgotten(self, runs: Path, mirror: Mirror, case: Case):
        with opened(case) as run:
            pass
        run.folder.path.rename(runs.parent / "moved")
        assert not mirror.step()
        assert undelivered_runs() == []

    def test_a_failure_is_noted_and_a_changed_record_tried_at_once(
        self, case: Case, mirror: Mirror, monkeypatch: pytest.MonkeyPatch
    ):
        def refuse(*_: object, **__: object) -> None:
            attempts.append(1)
            raise ConnectionError("gone")

        attempts: list[int] = []
        with opened(case) as run:
            pass
        with monkeypatch.context() as patch:
            patch.setattr("mlflow.MlflowClient.log_batch", refuse)
            assert not mirror.step()
            assert delivery_failure(run.folder) == "gone"
            mirror.step()  # too soon for another attempt
            assert len(attempts) == 1
            update_run(run.folder, stop_reason="another")
            assert delivery_failure(run.folder) == ""
            mirror.step()
            assert len(attempts) == 2
        assert delivery_failure(run.folder) == "gone"
        time.sleep(0.5)
        assert mirror.step()
        assert delivery_failure(run.folder) is None


class TestWaiting:
    def test_a_failure_is_said_with_the_command_that_mends_it(
        self, case: Case, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ):
        with opened(case) as run:
            pass
        monkeypatch.setattr("mlp.tracking.mirror_wait.ensure_mirror", lambda: False)
        run.folder.undelivered.write_text("the disk is full")
        wait_for_delivery([run.folder])
        assert caplog.messages == [
            f"MLflow does not have all of run {run.folder.path.name[:8]} yet (the disk is full); "
            "its folder does, and mlp sync sends it"
        ]
        run.folder.undelivered.unlink()
        wait_for_delivery([run.folder])
        assert len(caplog.messages) == 1

    @pytest.mark.parametrize("program", ["/bin/false", "/does/not/exist"])
    def test_a_mirror_that_does_not_start_is_not_waited_for(
        self,
        case: Case,
        monkeypatch: pytest.MonkeyPatch,
        caplog: pytest.LogCaptureFixture,
        program: str,
    ):
        monkeypatch.setattr("mlp.tracking.mirror_start.sys.executable", program)
        with opened(case) as run:
            pass
        wait_for_delivery([run.folder])
        assert "MLflow does not have all" in caplog.text
        run.folder.undelivered.unlink()

    def test_nothing_is_started_for_an_empty_outbox(self):
        assert not ensure_mirror()


def eventually(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.05)


def kill_mirror() -> None:
    """Kill the mirror of the runs' folder."""
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            ours = os.environ["MLP_RUNS"].encode() in (process / "environ").read_bytes()
            if ours and b"mlp.tracking.mirror" in (process / "cmdline").read_bytes():
                os.kill(int(process.name), signal.SIGKILL)


class TestProcess:
    def test_one_serves_all_and_another_one_goes_on_where_it_died(self, case: Case):
        with opened(case) as run:
            assert ensure_mirror()
            assert not ensure_mirror()
            case.train(run)
            eventually(
                lambda: read_counterpart(run.folder) is not None and steps(run.folder) == [1, 2, 3]
            )
            kill_mirror()
            eventually(ensure_mirror)
            case.train(run, max_epochs=5)
        wait_for_delivery([run.folder])
        assert stored(run.folder).info.status == "FINISHED"
        assert steps(run.folder) == [row["epoch"] for row in read_history(run.folder)]

    def test_it_ends_when_it_has_nothing_left_to_do_or_its_folder_is_gone(
        self, case: Case, runs: Path, monkeypatch: pytest.MonkeyPatch
    ):
        monkeypatch.setenv("MLP_RUNS", str(runs))
        with opened(case) as run:
            pass
        assert ensure_mirror()
        wait_for_delivery([run.folder])
        file = os.open(lock_file(), os.O_RDWR)
        assert not locked(file)
        lock_file().unlink()
        eventually(lambda: locked(file))
        os.close(file)
