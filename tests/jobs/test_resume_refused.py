"""What a run cannot be resumed with: exit status 2, one sentence, and nothing changed."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from mlp.base import RunError
from mlp.jobs import resume_run
from mlp.runs import RunLock, read_run
from tests.conftest import Said
from tests.jobs.interruptions import finished, interrupted

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.usefixtures("without_figures", "checkpoint_each_epoch"),
]

Command = Callable[..., Said]


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of runs with an interrupted one."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLP_RUNS", str(tmp_path_factory.mktemp("stored")))
        patch.setattr("mlp.training.checkpoint.MAX_SHARE", 1e9)
        return interrupted("schedule=cosine").path.parent


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        (["optimizer.lr=1"], "mlp: optimizer.lr cannot be changed: the run's past depends"),
        (["optimizer=sgd"], "mlp: optimizer._target_ cannot be changed"),
        (["experiment=mnist"], "mlp: 'experiment=mnist' is for a new run, and this one is stored"),
        (["seed=1"], "mlp: seed cannot be changed"),
        (["threads=2"], "mlp: threads cannot be changed"),
        (["trainer.batch_size=64"], "mlp: trainer.batch_size cannot be changed"),
        (["tags.a=b"], "mlp: tags"),
        (["trainer.max_epochs=5"], "mlp: trainer.max_epochs can only be raised: it is 6"),
        (["trainer.patience=9"], "mlp: trainer.patience can only be raised: it is 10, got 9"),
        (["trainer.max_seconds=9"], "mlp: trainer.max_seconds can only be raised"),
        (
            ["trainer.max_epochs=9"],
            "the schedule Cosine is spread over 6 epochs (a schedule.hor",
        ),
        (["trainer.patiense=1"], "mlp: unknown key 'trainer.patiense'; did you mean"),
        (["trainer.patience=0"], "mlp: trainer.patience must be at least 1, got 0"),
        (["-m"], "mlp: resume= takes one run, as in resume=latest"),
        (["resume=best"], "mlp: resume= takes one run, as in resume=latest"),
    ],
)
def test_change(
    mlp_run: Command,
    stored: Path,
    monkeypatch: pytest.MonkeyPatch,
    changes: list[str],
    sentence: str,
):
    monkeypatch.setenv("MLP_RUNS", str(stored))
    before = {path: path.read_bytes() for path in stored.rglob("*") if path.is_file()}
    said = mlp_run("resume=latest", *changes)
    assert said.status == 2
    assert sentence in said.err
    assert said.err.count("\n") == 1
    assert before == {path: path.read_bytes() for path in stored.rglob("*") if path.is_file()}


def test_unknown_run(mlp_run: Command, runs: Path):
    said = mlp_run("resume=nothing")
    assert said.status == 2
    assert "there is no run" in said.err
    assert not runs.exists()


def test_finished_run():
    """It says what would be right."""
    finished("trainer.max_epochs=1")
    with pytest.raises(RunError, match=r"keep_checkpoint=true keeps one; init_from="):
        resume_run("latest", ["trainer.max_epochs=2"])
    finished("trainer.max_epochs=1", "trainer.keep_checkpoint=true")
    with pytest.raises(RunError, match=r"to make it longer, raise trainer\.max_epochs or"):
        resume_run("latest")


def test_run_at_work():
    folder = interrupted()
    lock = RunLock(folder)
    with pytest.raises(RunError, match=r"process \d+ on .* is working on"):
        resume_run("latest")
    lock.end()
    resume_run("latest")


def test_other_data(tmp_path: Path):
    rng = np.random.default_rng(0)
    arrays = {"x_train": rng.random((60, 4), "float32"), "y_train": np.repeat([0, 1, 2], 20)}
    np.savez(tmp_path / "mine.npz", **arrays)
    words = ["trainer.batch_size=8", "data.val_fraction=0.2"]
    folder = interrupted("data=npz", f"data.path={tmp_path / 'mine.npz'}", *words)
    arrays["x_train"][0, 0] += 1
    np.savez(tmp_path / "mine.npz", **arrays)
    with pytest.raises(RunError, match=r"the data of .* have changed since it began"):
        resume_run("latest")
    assert read_run(folder).status == "KILLED"
    assert not folder.alive.exists()
