"""A disk that is full, or has a limit: a clear message, whole files, and the weights elsewhere."""

import errno
import json
import os
import resource
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mlp.base import RunError
from mlp.jobs import evaluate_run, resume_run, run_job
from mlp.runs import Recorder, RunFolder, read_history, read_run
from mlp.runs.find import list_runs
from tests.cases import composed

pytestmark = [pytest.mark.e2e, pytest.mark.usefixtures("without_figures")]

TINY_DISK = 1_500_000  # bytes: enough for a run's record, not for its weights
NAMESPACE = ["unshare", "--mount"]  # in which even a user without privileges may mount something
NAMESPACE += [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
WIDE = ["data=digits", "tracking=none", "threads=1", "model.hidden_sizes=[8192]", "name=wide"]
WIDE += ["trainer.max_epochs=3", "trainer.patience=null", "trainer.checkpoint_every=0.001"]


def on_a_tiny_disk(mount: Path, *words: str) -> list[str]:
    """Return a command that runs in a file system of its own, which disappears with it."""
    script = (
        f"mount -t tmpfs -o size={TINY_DISK} tmpfs {mount} && "
        f"MLP_RUNS={mount}/runs {sys.executable} -m mlp.run {' '.join(words)}; "
        f"status=$?; cp -r {mount}/runs {mount}.copy; exit $status"
    )
    return [*NAMESPACE, "sh", "-c", script]


def may_mount(place: Path) -> bool:
    if not shutil.which("unshare"):
        return False
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=4096", "tmpfs", str(place)]
    return subprocess.run([*NAMESPACE, *mount], capture_output=True).returncode == 0


def assert_files_are_whole(folder: RunFolder) -> None:
    """Nothing is under its final name but in full, and nothing else is left."""
    assert not list(folder.path.glob("**/.*"))
    json.loads(folder.record.read_text())
    for path in folder.path.glob("**/*.npy"):
        np.load(path)
    if folder.history.exists():
        assert folder.history.read_bytes().endswith(b"\n")


def saved_elsewhere(reason: str) -> RunFolder:
    """Return the folder that a message names."""
    assert "the best epoch's weights and the history are in " in reason
    return RunFolder(Path(reason.split(" are in ")[1].split()[0]))


def test_disk_that_is_really_full(tmp_path: Path):
    """The weights and the history are in the temporary folder, which can be evaluated."""
    if not may_mount(tmp_path / "probe"):
        pytest.skip("no small file system can be made here")
    disk, spare = tmp_path / "disk", tmp_path / "spare"
    disk.mkdir()
    spare.mkdir()
    command = on_a_tiny_disk(disk, *WIDE, "model.dropout=0.1")
    environment = os.environ | {"TMPDIR": str(spare)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 1
    [complaint] = [line for line in done.stderr.splitlines() if "the run failed" in line]
    assert "cannot be written (No space left on device): the best epoch's weights" in complaint
    [kept] = (tmp_path / "disk.copy").iterdir()
    assert_files_are_whole(RunFolder(kept))
    folder = saved_elsewhere(complaint)
    assert folder.path.parent == spare
    assert [row["epoch"] for row in read_history(folder)] == [1, 2, 3]
    assert evaluate_run(folder).metrics["accuracy"] > 0.5


def test_limit_that_leaves_no_place_at_all(runs: Path):
    """It holds everywhere, for a process may not write larger files: that is said."""

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (TINY_DISK // 2, resource.RLIM_INFINITY))

    command = [sys.executable, "-m", "mlp.run", *WIDE]
    done = subprocess.run(command, preexec_fn=limit, capture_output=True, text=True)
    assert done.returncode == 1
    assert "the weights are lost: the temporary and the home folder" in done.stderr
    [folder] = list_runs()
    assert read_run(folder).status == "FAILED"
    assert len(read_history(folder)) == 3
    assert not folder.weights.exists()
    assert_files_are_whole(folder)


@pytest.fixture
def full(runs: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, bool]]:
    """A switch: while it is on, nothing under the runs' folder can be written any more."""
    switch = {"on": False}
    forced, opened = os.fsync, Path.open

    def is_full(path: Path) -> bool:
        return switch["on"] and path.is_relative_to(runs)

    def fsync(descriptor: int) -> None:
        if is_full(Path(os.readlink(f"/proc/self/fd/{descriptor}"))):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        forced(descriptor)

    def open_(path: Path, mode: str = "r", *args: Any, **kwargs: Any) -> Any:
        if "a" in mode and is_full(path):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return opened(path, mode, *args, **kwargs)

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(Path, "open", open_)
    yield switch
    switch["on"] = False


def full_between(switch: dict[str, bool], first: int, last: int, monkeypatch: Any) -> None:
    """Let the disk be full from the end of one epoch to the end of another."""
    from mlp.training.progress import Progress

    add = Progress.add

    def added(progress: Progress, metrics: Any) -> None:
        add(progress, metrics)
        switch["on"] = first <= progress.epoch < last

    monkeypatch.setattr(Progress, "add", added)


QUICK = ["data=digits", "tracking=none", "threads=1", "trainer.max_epochs=6"]


def delete(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="cannot tell the files apart")
class TestMeanwhile:
    def test_folder_that_is_deleted_takes_no_weights_along(
        self, runs: Path, monkeypatch: Any, tmp_path: Path
    ):
        monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
        monkeypatch.setattr("mlp.training.Checkpoints.offer", lambda *_, last: delete(runs))
        result = run_job(composed(*QUICK))
        assert result.record.status == "FAILED"
        assert len(read_history(saved_elsewhere(result.record.stop_reason))) == 6

    def test_disk_that_is_full_from_the_beginning_has_nothing_begun(
        self, full: dict[str, bool], runs: Path
    ):
        full["on"] = True
        with pytest.raises(RunError, match=r"cannot be written: .*No space left on device"):
            run_job(composed(*QUICK))
        assert list(runs.iterdir()) == []

    def test_disk_that_is_full_for_a_while_costs_nothing(
        self, full: dict[str, bool], monkeypatch: Any, caplog: pytest.LogCaptureFixture
    ):
        """What could not be recorded is recorded later."""
        full_between(full, 2, 5, monkeypatch)
        result = run_job(composed(*QUICK, "trainer.checkpoint_every=0.001"))
        assert result.record.status == "FINISHED"
        [folder] = list_runs()
        assert [row["epoch"] for row in read_history(folder)] == [1, 2, 3, 4, 5, 6]
        assert f"{folder.path} cannot be written: No space left on device" in caplog.text
        assert_files_are_whole(folder)

    def test_disk_that_fills_after_the_weights_are_stored_fails_no_run(
        self, full: dict[str, bool], monkeypatch: Any
    ):
        """The record is ended when there is space again; nothing but that is missing."""
        save = Recorder.save_weights

        def save_and_fill(*arguments: Any) -> None:
            save(*arguments)
            full["on"] = True

        with monkeypatch.context() as patch:
            patch.setattr(Recorder, "save_weights", save_and_fill)
            result = run_job(composed(*QUICK, "trainer.checkpoint_every=0.001"))
        assert result.record.status == "FINISHED"
        full["on"] = False
        assert resume_run(result.record.id).record.status == "FINISHED"
        assert read_run(list_runs()[0]).test.metrics["accuracy"] > 0

    def test_checkpoints_make_room_for_the_weights(self, runs: Path, monkeypatch: Any):
        """A disk that holds the checkpoints holds the weights, once those are gone."""
        forced = os.fsync

        def fsync(descriptor: int) -> None:
            path = Path(os.readlink(f"/proc/self/fd/{descriptor}"))
            if path.parent.name.startswith(".weights") and list(runs.glob("*/checkpoints/epoch-*")):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            forced(descriptor)

        monkeypatch.setattr(os, "fsync", fsync)
        monkeypatch.setattr("mlp.training.checkpoint.MAX_SHARE", 1e9)
        result = run_job(composed(*QUICK, "trainer.checkpoint_every=0.001"))
        assert result.record.status == "FINISHED"
        [folder] = list_runs()
        assert evaluate_run(folder).metrics["accuracy"] > 0.5
        assert "the checkpoints make room for the weights" in folder.log.read_text()

    def test_disk_that_stays_full_leaves_a_run_to_go_on_with(
        self, full: dict[str, bool], monkeypatch: Any, tmp_path: Path
    ):
        """Its record could not be ended, so it counts as dead; it goes on when there is space."""
        monkeypatch.setenv("TMPDIR", str(tmp_path))
        monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
        with monkeypatch.context() as patch:
            full_between(full, 4, 100, patch)
            result = run_job(composed(*QUICK, "trainer.checkpoint_every=0.001"))
        full["on"] = False
        assert result.record.status == "FAILED"
        assert read_run(list_runs()[0]).status == "RUNNING"
        assert len(read_history(saved_elsewhere(result.record.stop_reason))) == 6
        assert resume_run(result.record.id).record.status == "FINISHED"
        [folder] = list_runs()
        assert [row["epoch"] for row in read_history(folder)] == [1, 2, 3, 4, 5, 6]
