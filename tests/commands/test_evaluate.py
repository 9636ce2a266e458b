"""A stored run, computed again: the same to the last digit, and different where it must be."""

import shutil
import sys
from pathlib import Path

import numpy as np
import pytest

from mlp.base import ConfigError, DataError, RunError
from mlp.config import composition as composing
from mlp.data import Digits, Mnist5k, Npz
from mlp.evaluate import evaluate, main
from mlp.jobs import resume_run, run_job
from mlp.runs import RunFolder, read_run, update_run
from tests.cases import composed

pytestmark = pytest.mark.e2e

QUICK = ("data=digits", "tracking=none", "trainer.max_epochs=2", "name=sample")


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of runs that holds one; to be copied, not changed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLP_RUNS", str(tmp_path_factory.mktemp("stored")))
        return run_job(composed(*QUICK)).folder.path.parent


@pytest.fixture
def run(stored: Path, runs: Path) -> RunFolder:
    """A run that a test may change."""
    shutil.copytree(stored, runs)
    return RunFolder(next(runs.glob("*/run.json")).parent)


def digits(path: Path, rows: slice | np.ndarray, **changes: object) -> list[str]:
    """Write some training digits as the user's own arrays, and return how to ask for them."""
    dataset = Digits().load()
    arrays = {"x_train": dataset.x_train[rows], "y_train": dataset.y_train[rows]} | changes
    np.savez(path, **arrays)
    return ["data=npz", f"data.path={path}"]


class TestOwnTestSet:
    def test_training_s_figures_come_out_again_to_the_last_digit(self, run: RunFolder):
        told = read_run(run).test
        evaluation = evaluate("latest")
        assert evaluation.metrics == told.metrics

    def test_a_run_that_was_never_trained_is_refused(self, run: RunFolder):
        update_run(run, epochs=0, best=None, status="KILLED")
        run.history.unlink()
        with pytest.raises(RunError, match="sample was never trained: it is killed, after 0 ep"):
            evaluate("latest")

    def test_moved_folder_and_missing_conf_change_nothing(
        self, run: RunFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ):
        told = read_run(run).test
        moved = shutil.move(run.path, tmp_path / "elsewhere")
        monkeypatch.setattr(composing, "conf_dir", lambda: tmp_path / "no conf")
        monkeypatch.chdir(tmp_path)
        assert evaluate("elsewhere").loss == told.metrics["loss"]
        assert read_run(RunFolder(Path(moved))).test.metrics["loss"] == told.metrics["loss"]

    def test_it_computes_with_the_stored_weights(self, run: RunFolder):
        told = read_run(run).test
        W1 = np.load(run.weights / "W1.npy")
        np.save(run.weights / "W1.npy", W1 + 0.01)
        assert evaluate("sample").loss != told.metrics["loss"]

    def test_result_is_recorded_and_drawn(self, run: RunFolder):
        (run.figures / "confusion.png").unlink()
        evaluation = evaluate("sample")
        assert read_run(run).test.metrics["loss"] == evaluation.loss
        assert (run.figures / "confusion.png").exists()


class TestOtherData:
    def test_they_are_recorded_beside_the_test_set(self, run: RunFolder, tmp_path: Path):
        told = read_run(run)
        words = digits(tmp_path / "mine.npz", slice(0, 200))
        evaluation = evaluate("sample", words)
        assert len(evaluation.labels) == 200
        record = read_run(run)
        assert record.evaluations["mine"].metrics["accuracy"] == evaluation.metrics["accuracy"]
        assert record.test == told.test
        assert (run.evaluations / "mine" / "mistakes.png").exists()

    def test_classes_are_found_by_name(self, run: RunFolder, tmp_path: Path):
        """Data with fewer classes have other indices, but the same names."""
        some = np.flatnonzero(Digits().load().y_train > 6)
        evaluation = evaluate("sample", digits(tmp_path / "high.npz", some))
        assert set(evaluation.labels) == {7, 8, 9}
        assert evaluation.metrics["accuracy"] > 0.3

    def test_unknown_class_is_named(self, run: RunFolder, tmp_path: Path):
        y = np.array([*(f"x{i:02}" for i in range(20)), *["7"] * 20])
        words = digits(tmp_path / "odd.npz", slice(0, 40), y_train=y)
        with pytest.raises(DataError, match=r"does not know: x00, .*, x09 and 10 more; it knows 0"):
            evaluate("sample", words)

    def test_other_number_of_features_is_refused(self, run: RunFolder, tmp_path: Path):
        words = digits(tmp_path / "odd.npz", slice(0, 40), x_train=np.zeros((40, 5)))
        with pytest.raises(
            DataError, match="5 features an example; this network was trained on 64"
        ):
            evaluate("sample", words)


class TestMistake:
    @pytest.mark.parametrize(
        ("change", "sentence"),
        [
            ("optimizer.lr=1", "'optimizer.lr=1' changes nothing here"),
            ("model.hidden_sizes=[3]", "the network is the stored one"),
            ("data=digit", "data has no choice 'digit'; did you mean 'digits'?"),
            ("data.scal=unit", "unknown key 'data.scal'; did you mean 'scale'?"),
            ("data.scale=unit", "'data.scale=unit' changes nothing here: inputs are prepared"),
            ("data.val_size=0", "data.val_size must be at least 1, got 0"),
            ("trainer.eval_batch_size=0", "trainer.eval_batch_size must be at least 1, got 0"),
            ("data.path=[", "is not of the form key=value"),
        ],
    )
    def test_change_is_refused(self, run: RunFolder, change: str, sentence: str):
        before = run.record.read_text()
        with pytest.raises(ConfigError) as error:
            evaluate("sample", [change])
        assert sentence in str(error.value)
        assert run.record.read_text() == before

    def test_missing_weights_are_named(self, run: RunFolder):
        (run.weights / "W2.npy").unlink()
        with pytest.raises(RunError, match=r"W2\.npy"):
            evaluate("sample")

    def test_unknown_run_is_told_without_a_traceback(
        self, run: RunFolder, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ):
        monkeypatch.setattr(sys, "argv", ["mlp.evaluate", "samples"])
        with pytest.raises(SystemExit) as end:
            main()
        assert end.value.code == 2
        assert capsys.readouterr().err.startswith("mlp: no run is called 'samples'")


def test_a_run_is_to_be_named(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    monkeypatch.setattr(sys, "argv", ["mlp evaluate"])
    with pytest.raises(SystemExit) as end:
        main()
    said = "mlp: say which run, as in mlp evaluate latest; see mlp evaluate --help\n"
    assert (end.value.code, capsys.readouterr().err) == (2, said)


def test_tables_are_shown(
    run: RunFolder, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setattr(sys, "argv", ["mlp.evaluate", "best"])
    with pytest.raises(SystemExit):
        main()
    said = capsys.readouterr().out
    for words in ("sample on digits  loss ", "precision  recall", "true \\ predicted", "figures"):
        assert words in said


def test_a_part_of_the_training_data_is_said_to_be_one(
    run: RunFolder, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch
):
    """As mnist_5k is of mnist."""
    monkeypatch.setattr(Npz, "part_of", "digits")
    evaluate("sample", digits(tmp_path / "mine.npz", slice(0, 200)))
    assert "all of mine is a part" in caplog.text
    assert Mnist5k.part_of == "mnist"


@pytest.mark.parametrize("name", ["figures", "weights/W9.npy", "log.txt"])
def test_links_in_the_folder_are_refused_by_name(run: RunFolder, tmp_path: Path, name: str):
    path, outside = run.path / name, tmp_path / "outside"
    outside.mkdir()
    shutil.rmtree(path, ignore_errors=True)
    if path.is_file():
        path.unlink()
    path.symlink_to(outside)
    for command in (evaluate, resume_run):
        with pytest.raises(RunError, match=f"{path.name} is a symbolic link"):
            command("sample")
    assert list(outside.iterdir()) == []


def test_a_folder_that_cannot_be_written_is_one_sentence(
    run: RunFolder, monkeypatch: pytest.MonkeyPatch
):
    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("mlp.runs.folder.write_run", refuse)
    with pytest.raises(RunError, match=f"{run.path.name} cannot be written: Permission denied"):
        evaluate("sample")
