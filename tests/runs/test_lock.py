"""Which runs are alive, and what becomes of those whose process has died."""

import json
import os
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mlp.base import RunError
from mlp.runs import (
    RunFolder,
    RunLock,
    is_alive,
    mark_orphaned,
    mark_orphaned_runs,
    open_run,
    read_run,
    update_run,
)
from mlp.runs.lock import TIMEOUT
from tests.cases import CONFIG, Case


def opened(case: Case) -> RunFolder:
    run = open_run(None, CONFIG, [], case.dataset, case.parts, case.network)
    return run.folder


def left_by_a_dead_process(do: Callable[[], object]) -> None:
    """Do something in a process that then dies."""
    if (pid := os.fork()) == 0:
        do()
        os._exit(0)
    os.waitpid(pid, 0)


@pytest.fixture
def dead(runs: Path, case: Case) -> RunFolder:
    """A run whose process has died."""
    left_by_a_dead_process(lambda: opened(case))
    [path] = runs.iterdir()
    return RunFolder(path)


class TestAlive:
    def test_as_long_as_the_run_is_recorded(self, runs: Path, case: Case):
        with open_run(None, CONFIG, [], case.dataset, case.parts, case.network) as run:
            assert is_alive(run.folder)
            assert mark_orphaned(run.folder) is None
            assert mark_orphaned_runs() == []
        assert not is_alive(run.folder)
        assert read_run(run.folder).status == "FINISHED"

    def test_seen_from_another_process(self, tmp_path: Path):
        lock = RunLock(RunFolder(tmp_path))
        status = os.waitstatus_to_exitcode(os.waitpid(self._fork(tmp_path), 0)[1])
        assert status == 1
        lock.end()
        assert os.waitstatus_to_exitcode(os.waitpid(self._fork(tmp_path), 0)[1]) == 0

    def _fork(self, path: Path) -> int:
        if (pid := os.fork()) == 0:
            os._exit(is_alive(RunFolder(path)))
        return pid

    @pytest.mark.e2e
    def test_two_cannot_work_on_one_run(self, tmp_path: Path):
        lock = RunLock(RunFolder(tmp_path))
        with pytest.raises(RunError, match="another process is working on this run"):
            RunLock(RunFolder(tmp_path))
        lock.end()
        RunLock(RunFolder(tmp_path)).end()
        assert list(tmp_path.iterdir()) == []

    def test_a_sign_of_life_every_few_seconds(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ):
        monkeypatch.setattr("mlp.runs.lock.HEARTBEAT", 0.01)
        lock = RunLock(RunFolder(tmp_path))
        os.utime(tmp_path / "alive", (0, 0))
        time.sleep(0.2)
        assert time.time() - (tmp_path / "alive").stat().st_mtime < 10
        lock.end()


class TestDead:
    def test_marked_killed_as_of_its_last_sign_of_life(self, dead: RunFolder):
        assert read_run(dead).status == "RUNNING"
        assert not is_alive(dead)
        for path in dead.path.iterdir():
            os.utime(path, (2_000_000_000, 2_000_000_000))
        [record] = mark_orphaned_runs()
        assert record == read_run(dead)
        assert (record.status, record.stop_reason) == ("KILLED", "its process died")
        assert record.ended == datetime(2033, 5, 18, 3, 33, 20, tzinfo=UTC)
        assert record.seconds > 0
        assert mark_orphaned_runs() == []

    def test_what_has_ended_stays_as_it_is(self, dead: RunFolder):
        """Its process died after it had written how the run ended."""
        update_run(dead, status="FINISHED")
        assert mark_orphaned_runs() == []
        assert read_run(dead).status == "FINISHED"
        assert not dead.alive.exists()

    def test_a_folder_that_is_no_run_hinders_nobody(self, dead: RunFolder, runs: Path):
        (runs / "0").mkdir()
        (runs / "0" / "alive").touch()
        assert [record.id for record in mark_orphaned_runs()] == [dead.path.name]


class TestOtherMachine:
    """Its locks are not seen here; the time of its last beat is."""

    @pytest.fixture
    def elsewhere(self, dead: RunFolder) -> RunFolder:
        record = json.loads(dead.record.read_text())
        record["process"]["host"] = "another machine"
        dead.record.write_text(json.dumps(record))
        return dead

    def test_alive_while_it_beats(self, elsewhere: RunFolder):
        assert is_alive(elsewhere)
        assert mark_orphaned_runs() == []
        with pytest.raises(RunError, match="another process"):
            RunLock(elsewhere)

    def test_dead_after_a_silence(self, elsewhere: RunFolder):
        long_ago = time.time() - TIMEOUT - 1
        os.utime(elsewhere.alive, (long_ago, long_ago))
        assert not is_alive(elsewhere)
        assert [record.status for record in mark_orphaned_runs()] == ["KILLED"]
