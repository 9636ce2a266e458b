"""A run on a terminal and in a file."""

import io
from pathlib import Path

import numpy as np
import pytest

from mlp.data import Dataset, Part, Parts, fit_scaler
from mlp.nn import MLP, Network, SoftmaxCrossEntropy
from mlp.reports import Console
from mlp.runs import RunRecord
from mlp.training import EpochEnded, Evaluation, Outcome, RunEnded, RunStarted
from tests.records import RUN

BEST = {"train/loss": 0.1, "train/accuracy": 0.99, "val/loss": 0.25, "val/accuracy": 0.9375}
RECORD = RunRecord.of(
    RUN
    | {
        "id": "0123456789abcdef",
        "name": "night [run]",
        "epochs": 12,
        "seconds": 3.4,
        "stop_reason": "val/loss has not improved for 2 epochs",
        "best": {"epoch": 10, "metrics": BEST},
        "test": {"metrics": {"loss": 0.2, "accuracy": 0.955}, "timestamp": 1, "digest": "abc"},
        "tracking": {"uri": None, "experiment": "mlp"},
    },
)


class Terminal(io.StringIO):
    """A file that says it is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def network() -> Network:
    model = MLP(hidden_sizes=[5], batch_norm=True)
    return model.build(4, 3, SoftmaxCrossEntropy(), np.random.default_rng(0))


def train(
    console: Console, network: Network, max_epochs: int, stop_after: int | None = None
) -> None:
    """Tell a training whose loss falls by 0.001 and that takes half a second an epoch."""
    with console.training():
        console(RunStarted(network, 90, 10, 3, max_epochs, "val/loss", 5))
        for epoch in range(1, (stop_after or max_epochs) + 1):
            metrics = {"train/loss": 2 - epoch / 1000, "val/loss": 2.5 - epoch / 1000, "lr": 0.1}
            console(EpochEnded(epoch, metrics, epoch, metrics["val/loss"], epoch * 0.5))
        console(RunEnded(Outcome("max_epochs", max_epochs, max_epochs, {}, [], 1.0)))


class TestFile:
    """Where there is no terminal."""

    def test_epoch_is_a_plain_line(self, network: Network):
        file = io.StringIO()
        train(Console(file=file), network, 3)
        assert file.getvalue().splitlines() == [
            "epoch 1/3  train/loss 1.9990  val/loss 2.4990  best 1",
            "epoch 2/3  train/loss 1.9980  val/loss 2.4980  best 2",
            "epoch 3/3  train/loss 1.9970  val/loss 2.4970  best 3",
        ]

    def test_long_training_takes_about_a_hundred_lines(self, network: Network):
        file = io.StringIO()
        train(Console(file=file), network, 1000)
        lines = file.getvalue().splitlines()
        assert len(lines) == 101
        assert lines[0].startswith("epoch 1/1000")
        assert lines[-1].startswith("epoch 1000/1000")

    def test_nothing_is_said_when_quiet(self, network: Network, tmp_path: Path):
        file = io.StringIO()
        console = Console(quiet=True, file=file)
        console.show_config({"seed": 0}, {"seed"})
        train(console, network, 2)
        console.show_result(RECORD, tmp_path)
        assert file.getvalue() == ""


class TestTerminal:
    def test_bar_shows_the_figures_and_gives_the_cursor_back(
        self, network: Network, monkeypatch: pytest.MonkeyPatch
    ):
        monkeypatch.setenv("TERM", "xterm")
        file = Terminal()
        train(Console(file=file), network, 4)
        for words in ("4/4", "1.9960"):
            assert words in file.getvalue()
        assert file.getvalue().rstrip().endswith("\x1b[2K")  # the bar is wiped away
        assert file.getvalue().rindex("\x1b[?25h") > file.getvalue().rindex("\x1b[?25l")

    @pytest.mark.parametrize(
        ("max_epochs", "left"), [(4, "0:00:00"), (7, "0:00:02"), (20_004, "0:00:02")]
    )
    def test_time_left_is_that_of_the_epochs_until_patience_ends_the_training(
        self, network: Network, monkeypatch: pytest.MonkeyPatch, max_epochs: int, left: str
    ):
        monkeypatch.setenv("TERM", "xterm")
        file = Terminal()
        train(Console(file=file), network, max_epochs, stop_after=4)
        assert f"about {left} left" in file.getvalue()
        ends = "ends after epoch 9 unless val/loss improves" in file.getvalue()
        assert ends == (max_epochs > 9)

    def test_cursor_comes_back_after_a_failure(
        self, network: Network, monkeypatch: pytest.MonkeyPatch
    ):
        monkeypatch.setenv("TERM", "xterm")
        file = Terminal()

        def fail(console: Console) -> None:
            with console.training():
                console(RunStarted(network, 90, 10, 3, 5, None, None))
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            fail(Console(file=file))
        assert file.getvalue().rindex("\x1b[?25h") > file.getvalue().rindex("\x1b[?25l")


class TestTexts:
    def test_configuration_shows_what_is_unusual_and_what_is_always_asked(self):
        file = io.StringIO()
        config = {
            "model": {"_target_": "mlp.nn.MLP", "hidden_sizes": [30, 20], "max_norm": None},
            "optimizer": {"_target_": "mlp.nn.Adam", "lr": 0.5, "eps": 1e-8},
            "schedule": {"_target_": "mlp.nn.Constant"},
            "loss": {"_target_": "mine.Loss"},
            "callbacks": {"board": {"_target_": "mine.Board", "port": 1}},
            "test": False,
            "refit": False,
        }
        unusual = {"optimizer.lr", "loss", "callbacks.board", "callbacks.board.port", "test"}
        Console(file=file).show_config(config, unusual)
        assert [line.split() for line in file.getvalue().splitlines()[:5]] == [
            ["model", "MLP", "hidden_sizes", "[30,", "20]"],
            ["optimizer", "Adam", "lr", "0.5"],
            ["loss", "Loss"],
            ["callbacks.board", "Board", "port", "1"],
            ["test", "false"],
        ]

    def test_plan_counts_parameters_and_examples(self, network: Network):
        file = io.StringIO()
        x, y = np.zeros((100, 4), np.float32), np.arange(100) % 3
        dataset = Dataset("mine", x, y, None, None, ("a", "b", "c"), None, None)
        rows = np.arange(100)
        scaler = fit_scaler("none", x, rows, None)
        parts = Parts(Part(x, y, rows[:90], scaler), Part(x, y, rows[90:], scaler), None, scaler)
        Console(file=file).show_plan(dataset, parts, network, 20)
        lines = [line.split() for line in file.getvalue().splitlines()]
        assert " ".join(lines[0]) == ("mine 90 to train · 10 to validate · 4 features · 3 classes")
        assert ["dense", "4", "→", "5", "20"] in lines  # its bias is the normalisation's
        assert ["total", str(4 * 5 + 5 + 5 + 5 * 3 + 3)] in lines

    def test_result_says_how_well_and_where(self, tmp_path: Path):
        (tmp_path / "weights").mkdir()
        file = io.StringIO()
        Console(file=file).show_result(RECORD, tmp_path)
        text = file.getvalue()
        for words in (
            "FINISHED after 12 epochs, 3.4 s: val/loss has not improved for 2 epochs",
            "night [run]",
            str(tmp_path),
            "mlp evaluate 01234567",
            "mlp ui 01234567",
        ):
            assert words in text
        rows = [line.split() for line in text.splitlines()]
        assert ["val", "0.2500", "93.75%"] in rows
        assert ["test", "0.2000", "95.50%"] in rows

    def test_failed_run_points_to_its_traceback(self, tmp_path: Path):
        (tmp_path / "traceback.txt").touch()
        file = io.StringIO()
        changes = {"status": "FAILED", "best": None, "test": None, "stop_reason": "oops"}
        Console(file=file).show_result(RECORD.changed(**changes), tmp_path)
        assert "FAILED after 12 epochs, 3.4 s\n" in file.getvalue()
        assert "traceback.txt" in file.getvalue()
        assert "mlp.evaluate" not in file.getvalue()

    def test_evaluation_shows_each_class_and_the_mistakes(self, tmp_path: Path):
        scores = np.array([[0.9, 0.1], [0.2, 0.8], [0.7, 0.3], [0.6, 0.4]])
        evaluation = Evaluation({"loss": 0.5, "accuracy": 0.75}, scores, np.array([0, 1, 0, 1]))
        file = io.StringIO()
        Console(file=file).show_evaluation("run", "data", evaluation, ["cat", "dog"], tmp_path)
        rows = [line.split() for line in file.getvalue().splitlines()]
        assert " ".join(rows[0]) == "run on data loss 0.5000 · accuracy 75.00% · 4 examples"
        assert ["0", "cat", "0.6667", "1.0000", "0.8000", "2"] in rows
        assert ["1", "dog", "1.0000", "0.5000", "0.6667", "2"] in rows
        assert ["0", "cat", "2", "·"] in rows
        assert ["1", "dog", "1", "1"] in rows

    def test_of_many_classes_the_most_confused_are_shown(self, tmp_path: Path):
        labels = np.arange(1000)
        scores = np.eye(1000, dtype=np.float32)
        scores[7] = scores[8]
        file = io.StringIO()
        evaluation = Evaluation({"loss": 0.5, "accuracy": 0.999}, scores, labels)
        classes = [str(i) for i in labels]
        Console(file=file).show_evaluation("run", "data", evaluation, classes, tmp_path)
        lines = file.getvalue().splitlines()
        assert len(lines) < 55
        assert "the 20 most confused of 1,000 classes" in lines
        assert ["7", "0.0000", "0.0000", "0.0000", "1"] in [line.split() for line in lines]

    def test_no_name_is_broken_where_the_screen_is_narrow(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ):
        """Rather fewer classes are shown."""
        monkeypatch.setenv("COLUMNS", "80")
        labels = np.arange(3000) % 30
        scores = np.eye(30)[(labels + np.arange(3000) // 1000) % 30]
        evaluation = Evaluation({"loss": 0.5}, scores, labels)
        monkeypatch.setenv("TERM", "xterm")
        file, classes = Terminal(), [f"a class of the kind {i}" for i in range(30)]
        Console(file=file).show_evaluation("run", "data", evaluation, classes, tmp_path)
        assert "the 10 most confused of 30 classes" in file.getvalue()
        assert file.getvalue().count(" a class of the kind ") == 2 * 10
