"""What a sweep has found, ranked: from hand-made records, whose right order is plain."""

import csv
from pathlib import Path
from statistics import fmean, stdev

import pytest
from rich.console import Console as Terminal

from mlp.base import RunError
from mlp.jobs import run_job
from mlp.reports import show_summary, write_summary
from mlp.reports.sweep_summary import comparison_in_mlflow, write_leaderboard
from mlp.runs import Leaderboard, RunFolder, find_training, read_leaderboard, read_run
from mlp.sweep.summary import summarise
from tests.cases import composed
from tests.records import RUN, make_child, make_run, make_sweep

LR, WIDTH = "optimizer.lr", "model.hidden_sizes"


def ranking(board: Leaderboard) -> list[str]:
    return [row.name for row in board.rows]


def said(board: Leaderboard, width: int = 200) -> str:
    """What is printed of a board."""
    terminal = Terminal(width=width, color_system=None)
    with terminal.capture() as capture:
        show_summary(board, terminal, {})
    return capture.get()


class TestRanking:
    def test_a_low_loss_and_a_high_accuracy_are_best(self, runs: Path):
        for i, (loss, accuracy) in enumerate([(0.3, 0.7), (0.1, 0.8), (0.2, 0.9)]):
            best = {"epoch": 1, "val/loss": loss, "val/accuracy": accuracy}
            make_child(runs, f"r{i}", {LR: i}, best=best)
        assert ranking(read_leaderboard(["5eed"])) == ["lr=1", "lr=2", "lr=0"]
        assert ranking(read_leaderboard(["5eed"], "val/accuracy")) == ["lr=2", "lr=1", "lr=0"]

    def test_only_the_sweep_s_own_runs_count(self, runs: Path):
        make_child(runs, "mine", {LR: 1}, 0.5)
        make_child(runs, "theirs", {LR: 2}, 0.1, parent="other")
        assert read_leaderboard(["5eed"]).winner.id == "mine"

    def test_parameters_that_are_the_same_in_all_runs_are_left_out(self, runs: Path):
        make_child(runs, "a", {LR: 0.1, WIDTH: [64], "seed": 0})
        make_child(runs, "b", {LR: 0.2, WIDTH: [64], "seed": 0})
        assert read_leaderboard(["5eed"]).keys == [LR]

    def test_equal_values_are_ordered_by_name(self, runs: Path):
        for run_id, lr in [("z", 0.1), ("a", 0.3), ("m", 0.2)]:
            make_child(runs, run_id, {LR: lr}, 0.5)
        assert ranking(read_leaderboard(["5eed"])) == ["lr=0.1", "lr=0.2", "lr=0.3"]


class TestSeeds:
    def test_runs_that_differ_in_the_seed_alone_are_one_row(self, runs: Path):
        for seed, value in enumerate([0.3, 0.1, 0.2]):
            make_child(runs, f"a{seed}", {LR: 0.1, "seed": seed}, value, seconds=seed)
            make_child(runs, f"b{seed}", {LR: 0.2, "seed": seed}, value + 1)
        best, other = read_leaderboard(["5eed"]).rows
        assert (best.name, other.name) == ("lr=0.1", "lr=0.2")
        assert best.mean == pytest.approx(0.2)
        assert best.std == pytest.approx(stdev([0.3, 0.1, 0.2]))
        assert best.seconds == 1.0

    def test_the_mean_decides_and_the_winner_is_the_best_run_of_the_best_row(self, runs: Path):
        make_child(runs, "lucky", {LR: 1, "seed": 0}, 0.1)
        make_child(runs, "unlucky", {LR: 1, "seed": 1}, 0.9)
        make_child(runs, "steady", {LR: 2, "seed": 0}, 0.3)
        make_child(runs, "steadier", {LR: 2, "seed": 1}, 0.2)
        assert read_leaderboard(["5eed"]).winner.id == "steadier"

    def test_a_setting_with_a_failed_seed_comes_after_those_without(self, runs: Path):
        make_child(runs, "lucky", {LR: 1, "seed": 0}, 0.1)
        make_child(runs, "diverged", {LR: 1, "seed": 1}, None, status="FAILED")
        make_child(runs, "steady", {LR: 2, "seed": 0}, 0.3)
        make_child(runs, "going on", {LR: 2, "seed": 1}, None, status="RUNNING")
        board = read_leaderboard(["5eed"])
        assert [row.name for row in board.rows] == ["lr=2", "lr=1"]
        assert board.winner.id == "steady"
        assert "0.1000 (1 of 2)" in said(board)

    def test_of_a_single_run_there_is_no_deviation(self, runs: Path):
        make_child(runs, "a", {LR: 0.1, "seed": 0}, 0.25)
        board = read_leaderboard(["5eed"])
        assert board.rows[0].std is None
        assert "±" not in said(board)

    def test_seeds_alone_are_one_row(self, runs: Path):
        for seed in range(2):
            make_child(runs, f"a{seed}", {"seed": seed})
        assert ranking(read_leaderboard(["5eed"])) == ["all runs"]


class TestFolds:
    """Of cross-validation the mean over the folds is the result."""

    @staticmethod
    def make(runs: Path, lr: float, values: list[float], **data: int) -> None:
        for fold, value in enumerate(values):
            sizes = {"n_train": 20 - (fold == 0), **data}
            params = {LR: lr, "data.fold": fold}
            make_child(runs, f"lr{lr}fold{fold}", params, value, data=sizes)

    def test_they_are_one_row_though_one_has_a_row_more(self, runs: Path):
        self.make(runs, 1, [0.1, 0.2, 0.6])
        self.make(runs, 2, [0.2, 0.3, 0.1])
        board = read_leaderboard(["5eed"])
        assert ranking(board) == ["lr=2", "lr=1"]
        assert board.rows[0].mean == pytest.approx(0.2)
        assert "0.2000 ± 0.1000 (3)" in said(board)

    def test_every_fold_of_the_best_setting_is_tested(self, runs: Path):
        self.make(runs, 1, [0.1, 0.2])
        self.make(runs, 2, [0.3, 0.4])
        assert [run.id for run in read_leaderboard(["5eed"]).to_test] == ["lr1fold0", "lr1fold1"]

    def test_another_share_of_validation_rows_is_not_ranked(self, runs: Path):
        self.make(runs, 1, [0.1, 0.2])
        self.make(runs, 2, [0.1, 0.2], n_val=7)
        with pytest.raises(RunError, match="different data or splits"):
            read_leaderboard(["5eed"])

    def test_one_that_has_failed_is_named(self, runs: Path):
        make_child(runs, "a", {"seed": 0, "data.fold": 0})
        make_child(runs, "b", {"seed": 0, "data.fold": 1}, None, status="FAILED")
        assert "failed, seed 0, fold 1" in said(read_leaderboard(["5eed"]))


class TestUnranked:
    def test_they_stand_below_with_their_state(self, runs: Path):
        make_child(runs, "good", {LR: 1, "seed": 0}, 0.5)
        make_child(runs, "cut", {LR: 2, "seed": 0}, 0.1, pruned=True)
        make_child(runs, "bad", {LR: 3, "seed": 0}, None, status="FAILED")
        make_child(runs, "busy", {LR: 4, "seed": 7}, None, status="RUNNING", seconds=0)
        board = read_leaderboard(["5eed"])
        assert [run.state for run in board.others] == ["failed", "pruned", "running"]
        lines = said(board).splitlines()
        assert lines[1].split() == ["1", "1", "0.5000", "2", "2.0", "good"]
        assert lines[-3].split() == ["4", "running,", "seed", "7", "3", "busy"]

    def test_of_several_attempts_at_a_job_the_finished_one_counts(self, runs: Path):
        job = {"parent": "5eed", "key": "k", "params": {LR: 1}}
        make_child(runs, "first", {}, 0.1, status="KILLED", sweep=job)
        make_child(runs, "second", {}, 0.2, sweep=job)
        make_child(runs, "third", {}, None, status="FAILED", sweep=job)
        board = read_leaderboard(["5eed"])
        assert [run.id for run in board.rows[0].runs] == ["second"]
        assert board.others == []

    def test_a_run_without_the_metric_is_not_ranked(self, runs: Path):
        make_child(runs, "a", {LR: 1}, 0.5)
        make_child(runs, "b", {LR: 2}, best={"epoch": 1, "val/accuracy": 0.5})
        board = read_leaderboard(["5eed"])
        assert board.winner.id == "a"
        assert [run.id for run in board.others] == ["b"]


class TestRefusal:
    def test_nothing_has_begun(self, runs: Path):
        make_sweep(runs)
        with pytest.raises(
            RunError, match=r"no run of the sweep has finished yet \(none has begun"
        ):
            read_leaderboard(["5eed"])

    def test_nothing_has_finished(self, runs: Path):
        make_child(runs, "a", {LR: 1}, None, status="FAILED")
        make_child(runs, "b", {LR: 2}, None, status="FAILED")
        make_child(runs, "c", {LR: 3}, None, status="RUNNING")
        with pytest.raises(RunError, match=r"finished yet \(2 failed, 1 running\)"):
            read_leaderboard(["5eed"])

    def test_different_monitors_need_a_choice(self, runs: Path):
        make_child(runs, "a", {LR: 1})
        make_child(runs, "b", {LR: 2}, monitor="val/accuracy")
        with pytest.raises(RunError, match=r"val/accuracy and val/loss: choose .* --metric"):
            read_leaderboard(["5eed"])
        assert read_leaderboard(["5eed"], "val/loss").rows

    @pytest.mark.parametrize("data", [{"digest": "other"}, {"n_val": 6}])
    def test_other_data_or_another_split_are_not_ranked(self, runs: Path, data: dict):
        make_child(runs, "a", {LR: 1})
        make_child(runs, "b", {LR: 2}, data=data)
        with pytest.raises(RunError, match="different data or splits"):
            read_leaderboard(["5eed"])

    def test_different_losses_are_ranked_by_accuracy_only(self, runs: Path):
        make_child(runs, "a", {LR: 1})
        make_child(runs, "b", {LR: 2}, model=RUN["model"] | {"loss": "MeanSquaredError"})
        with pytest.raises(RunError, match=r"MeanSquaredError and .*: choose --metric val/acc"):
            read_leaderboard(["5eed"])
        assert read_leaderboard(["5eed"], "val/accuracy").n_runs == 2

    def test_an_unknown_metric_is_answered_with_those_there_are(self, runs: Path):
        make_child(runs, "a", {LR: 1})
        with pytest.raises(RunError, match="'test/loss'; there are val/accuracy, val/loss"):
            read_leaderboard(["5eed"], "test/loss")

    def test_the_training_loss_ranks_where_it_was_monitored(self, runs: Path):
        for run_id, loss in (("a", 0.5), ("b", 0.4)):
            make_child(
                runs,
                run_id,
                {LR: loss},
                monitor="train/loss",
                best={"epoch": 3, "train/loss": loss},
            )
        assert read_leaderboard(["5eed"]).metric == "train/loss"
        assert read_leaderboard(["5eed"]).winner.id == "b"


class TestAcrossSweeps:
    def test_what_differs_is_read_from_the_configurations(self, runs: Path):
        """Neither sweep has the other's axis among its parameters."""
        make_child(runs, "a", {"optimizer.lr": 0.1, WIDTH: [64]}, 0.4, parent="one")
        make_child(runs, "b", {"optimizer.lr": 0.5, WIDTH: [64]}, 0.3, parent="two")
        make_child(runs, "c", {"model.dropout": 0.2, WIDTH: [64]}, 0.2, parent="two")
        board = read_leaderboard(["one", "two"])
        assert board.keys == ["model.dropout", "optimizer.lr"]
        assert ranking(board) == ["dropout=0.2 lr=0.1", "dropout=0 lr=0.5", "dropout=0 lr=0.1"]

    def test_a_job_that_both_have_counts_once(self, runs: Path):
        for parent in ("one", "two"):
            shared = {"parent": parent, "key": "same", "params": {LR: 1}}
            make_child(runs, f"of {parent}", {LR: 1}, sweep=shared)
        assert len(read_leaderboard(["one", "two"]).rows[0].runs) == 1


class TestCsv:
    def test_it_holds_whole_numbers_values_as_typed_and_all_ids(self, runs: Path, tmp_path: Path):
        for seed, value in enumerate([0.1, 0.2 + 1e-9]):
            make_child(runs, f"{seed:032}", {WIDTH: [64, 32], LR: 0.1, "seed": seed}, value)
        make_child(runs, "bad", {WIDTH: [128], LR: 0.1, "seed": 0}, None, status="FAILED")
        board = read_leaderboard(["5eed"])
        write_leaderboard(board, tmp_path / "board.csv")
        with (tmp_path / "board.csv").open(newline="") as file:
            first, last = csv.DictReader(file)
        assert (first["rank"], first["state"], first["n"]) == ("1", "finished", "2")
        assert first[WIDTH] == "[64, 32]"
        assert (float(first["mean"]), float(first["std"])) == (
            board.rows[0].mean,
            board.rows[0].std,
        )
        assert first["run ids"].split() == [f"{seed:032}" for seed in range(2)]
        assert (last["rank"], last["state"], last["mean"], last["run ids"]) == (
            "",
            "failed",
            "",
            "bad",
        )


MLFLOW = {"uri": None, "experiment": "mlp"}


class TestTerminal:
    def test_the_commands_that_go_on_are_whole_lines(self, runs: Path):
        make_child(runs, "0123456789", {LR: 1}, 0.1, tracking=MLFLOW)
        make_child(runs, "abcdefghij", {LR: 2}, 0.2, tracking=MLFLOW)
        lines = said(read_leaderboard(["5eed"]), width=60).splitlines()
        assert lines[-2].split("  ")[-1].strip() == "mlp evaluate 01234567"
        assert lines[-1].split("  ")[-1].strip() == "mlp ui 5eed"

    def test_runs_of_no_sweep_are_compared_by_their_ids(self, runs: Path):
        folders = [make_run(runs, name, tracking=MLFLOW) for name in ("a", "b")]
        assert comparison_in_mlflow(folders) == {"compare 2 in MLflow": "mlp ui a b"}

    def test_runs_without_mlflow_have_no_page(self, runs: Path):
        folders = [make_child(runs, name, {LR: 1}) for name in ("a", "b")]
        assert comparison_in_mlflow(folders) == {}

    def test_a_single_setting_has_a_page_too(self, runs: Path):
        for seed in (1, 2):
            make_child(runs, f"run {seed}", {"seed": seed}, tracking=MLFLOW)
        assert "mlp ui 5eed" in said(read_leaderboard(["5eed"]))

    def test_where_columns_do_not_fit_a_setting_is_a_name(self, runs: Path):
        params = {f"model.some_parameter_{i}": i for i in range(8)}
        make_child(runs, "a", params)
        make_child(runs, "b", {key: value + 1 for key, value in params.items()})
        board = read_leaderboard(["5eed"])
        assert "some_parameter_7=7" in said(board, width=80)
        assert "some_parameter_7=7" not in said(board, width=300)

    def test_brackets_are_only_brackets(self, runs: Path):
        make_child(runs, "a", {"model.activation": "[red]relu[/]"})
        make_child(runs, "b", {"model.activation": []})
        assert "[red]relu[/]" in said(read_leaderboard(["5eed"]))

    def test_long_boards_are_cut(self, runs: Path):
        for i in range(25):
            make_child(runs, f"r{i}", {LR: i}, i + 1)
        assert "and 5 more" in said(read_leaderboard(["5eed"]))


@pytest.mark.e2e
class TestSummary:
    def test_the_test_set_is_read_for_the_winner_only(self, runs: Path):
        for i, lr in enumerate([0.0001, 0.01]):
            words = ["data=digits", "tracking=none", "test=false", "trainer.max_epochs=1"]
            child = {"parent": "5eed", "key": str(i), "name": f"lr={lr}", "params": {LR: lr}}
            run_job(composed(*words, f"{LR}={lr}"), sweep=child)
        board = summarise(make_sweep(runs), test="winner")
        better, worse = board.rows
        assert better.tests("accuracy") == [
            read_run(RunFolder.of(board.winner.id)).test.metrics["accuracy"]
        ]
        assert worse.tests("accuracy") == []
        assert "test accuracy" in said(board)

    def test_of_cross_validation_each_fold_is_tested(self, runs: Path):
        for fold in range(3):
            words = ["data=sklearn", "data.name=wine", "tracking=none", "trainer.max_epochs=1"]
            words += ["test=false", "data.folds=3", f"data.fold={fold}"]
            params = {"data.folds": 3, "data.fold": fold}
            child = {"parent": "5eed", "key": str(fold), "name": f"{fold}", "params": params}
            run_job(composed(*words), sweep=child)
        [row] = (board := summarise(make_sweep(runs), test="winner")).rows
        assert sum(run.data.n_test for run in row.runs) == 178
        accuracies = [run.test.metrics["accuracy"] for run in row.runs]
        assert f"{fmean(accuracies):.2%} ± {stdev(accuracies):.2%}" in said(board)

    def test_files_and_the_winner_are_put_into_the_sweep_s_folder(self, runs: Path):
        sweep = make_sweep(runs)
        make_child(runs, "a", {LR: 1}, 0.4)
        make_child(runs, "b", {LR: 2}, 0.2)
        board = summarise(sweep, test="none")
        assert (sweep.path / "leaderboard.csv").exists()
        assert {f.name for f in sweep.figures.iterdir()} == {
            "axes.png",
            "curves.png",
            "parallel.png",
        }
        best = read_run(sweep).best
        assert (best.run, best.value) == ("b", 0.2)
        assert board.rows[0].tests("accuracy") == []

    def test_a_sweep_stands_for_its_winner(self, runs: Path):
        sweep = make_sweep(runs)
        winner = make_child(runs, "a", {LR: 1})
        assert find_training(sweep.path.name) == find_training("a") == winner

    def test_a_folder_that_cannot_be_written_is_named(self, runs: Path, tmp_path: Path):
        make_child(runs, "a", {LR: 1})
        (tmp_path / "file").touch()
        with pytest.raises(RunError, match=r"file/x cannot be written: Not a directory"):
            write_summary(read_leaderboard(["5eed"]), tmp_path / "file" / "x")
