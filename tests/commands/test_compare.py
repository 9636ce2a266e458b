"""``python -m mlp.compare``: sweeps ranked, runs side by side, and what cannot be compared."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from mlp.compare import main
from mlp.runs.folder import write_yaml
from tests.conftest import Said
from tests.records import PROVENANCE, make_child, make_sweep

LR = "optimizer.lr"


@pytest.fixture
def compare(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., Said]:
    """Call the command with some words."""

    def call(*words: str) -> Said:
        monkeypatch.setattr(sys, "argv", ["mlp.compare", *words])
        try:
            main()
            status = 0
        except SystemExit as end:
            status = int(end.code or 0)
        return Said(status, *capsys.readouterr())

    return call


class TestSweeps:
    def test_one_is_shown_and_its_files_are_renewed(self, runs: Path, compare: Callable[..., Said]):
        sweep = make_sweep(runs, name="widths")
        make_child(runs, "aaa", {LR: 0.1}, 0.4)
        make_child(runs, "bbb", {LR: 0.2}, 0.3)
        said = compare("widths")
        assert said.status == 0
        assert said.out.startswith("widths  finished, 2 jobs: 2 finished")
        assert "mlp evaluate bbb" in said.out
        assert (sweep.path / "leaderboard.csv").read_text().count("\n") == 3
        assert (sweep.figures / "curves.png").exists()

    def test_latest_alone_is_the_latest_sweep(self, runs: Path, compare: Callable[..., Said]):
        make_sweep(runs, "0ne", name="earlier")
        make_sweep(runs, "2wo", name="later", started="2026-01-02T10:00:00+00:00")
        make_child(runs, "aaa", {LR: 0.1}, parent="2wo")
        assert compare("latest").out.startswith("later")

    def test_another_metric_leaves_the_sweep_s_own_files(
        self, runs: Path, compare: Callable[..., Said]
    ):
        sweep = make_sweep(runs)
        make_child(runs, "aaa", {LR: 0.1})
        said = compare("5eed", "--metric", "val/accuracy")
        assert "90.00%" in said.out
        assert not (sweep.path / "leaderboard.csv").exists()
        assert (runs / "compared" / "5eed-val_accuracy" / "leaderboard.csv").exists()

    def test_several_are_ranked_together(self, runs: Path, compare: Callable[..., Said]):
        for sweep, value in (("0ne", 0.4), ("2wo", 0.3)):
            make_sweep(runs, sweep)
            make_child(runs, f"run of {sweep}", {LR: value}, value, parent=sweep)
        said = compare("0ne", "2wo", "--top", "1")
        assert "and 1 more" in said.out
        assert "mlp evaluate run of 2" in said.out
        assert (runs / "compared" / "0ne-2wo" / "figures" / "axes.png").exists()


class TestRuns:
    def test_they_stand_side_by_side(self, runs: Path, compare: Callable[..., Said]):
        checkout = {"commit": "c" * 40, "branch": "main", "dirty": False}
        make_child(runs, "aaa", {LR: 0.1}, 0.4, name="slow")
        make_child(
            runs,
            "bbb",
            {LR: 0.2},
            0.3,
            name="fast",
            test={"metrics": {"loss": 0.35, "accuracy": 0.875}, "timestamp": 0, "digest": "abc"},
            provenance=PROVENANCE | {"git": checkout, "host": "there"},
        )
        said = compare("slow", "fast")
        rows = {line.split("  ")[0]: line.split()[-2:] for line in said.out.splitlines() if line}
        assert rows["optimizer.lr"] == ["0.1", "0.2"]
        assert "model.dropout" not in rows
        assert rows["val/loss"] == ["0.4000", "0.3000"]
        assert rows["test/accuracy"][-1] == "87.50%"
        assert rows["host"] == ["here", "there"]
        assert rows["git.commit"][-1] == "cccccccccc"
        assert (runs / "compared" / "aaa-bbb" / "curves.png").exists()

    def test_what_cannot_be_compared_is_said(self, runs: Path, compare: Callable[..., Said]):
        make_child(runs, "aaa", {LR: 0.1}, name="one")
        make_child(runs, "bbb", {LR: 0.1}, name="like")
        make_child(runs, "ccc", {LR: 0.1}, name="other", data={"digest": "other"})
        assert "not comparable" not in compare("one", "like").out
        said = "These runs differ in data: their validation results are not comparable"
        assert said in compare("one", "other").out

    def test_equal_configurations_are_said_to_be(self, runs: Path, compare: Callable[..., Said]):
        for run_id in ("aaa", "bbb"):
            make_child(runs, run_id, {LR: 0.1})
        assert "configuration  the same" in compare("aaa", "bbb").out.replace("   ", " ")

    def test_a_sweep_beside_a_run_stands_for_its_best(
        self, runs: Path, compare: Callable[..., Said]
    ):
        make_sweep(runs)
        make_child(runs, "aaa", {LR: 0.1}, 0.4)
        make_child(runs, "bbb", {LR: 0.2}, 0.3)
        make_child(runs, "ccc", {LR: 0.3}, parent="other")
        out = compare("5eed", "ccc").out
        assert "bbb" in out
        assert "aaa" not in out

    def test_a_run_that_failed_at_once_has_no_curve(self, runs: Path, compare: Callable[..., Said]):
        for run_id in ("aaa", "bbb"):
            folder = make_child(runs, run_id, {LR: 0.1}, None, status="FAILED")
            folder.history.unlink()
        said = compare("aaa", "bbb")
        assert said.status == 0
        assert "failed" in said.out
        assert "curves" not in said.out


class TestVerdict:
    @pytest.fixture
    def sweep(self, runs: Path) -> None:
        make_sweep(runs, name="widths")
        for seed, drift in enumerate([0.0, 0.01, 0.03]):
            for i, lr in enumerate((0.1, 0.2, 0.3)):
                make_child(runs, f"r{i}{seed}", {LR: lr, "seed": seed}, 0.3 + 0.1 * i + i * drift)

    @pytest.mark.usefixtures("sweep")
    def test_of_a_sweep_the_best_two_settings_are_compared(self, compare: Callable[..., Said]):
        out = " ".join(compare("widths").out.split())
        assert "lr=0.1 is better than lr=0.2 by 0.113 [0.0754, 0.151]" in out
        assert "lr=0.3 by" not in out

    @pytest.mark.usefixtures("sweep")
    def test_settings_are_named_by_their_rank(self, compare: Callable[..., Said]):
        said = compare("widths#3", "latest#1")
        out = " ".join(said.out.split())
        assert said.status == 0
        assert "lr=0.1 is better than lr=0.3 by 0.227" in out
        assert not any(line.startswith("seed ") for line in said.out.splitlines())  # equal seeds

    @pytest.mark.usefixtures("sweep")
    def test_more_than_two_are_corrected_together(self, compare: Callable[..., Said]):
        out = " ".join(compare("widths#1", "widths#2", "widths#3").out.split())
        assert out.count(" is better than ") == 3
        assert "each: val/loss of 3 training seeds" in out
        assert "after Holm's correction for 3 comparisons" in out

    @pytest.mark.usefixtures("sweep")
    def test_settings_chosen_by_rank_are_corrected_for_the_choice(
        self, compare: Callable[..., Said]
    ):
        out = " ".join(compare("widths#1", "widths#3").out.split())
        assert "after Holm's correction for 3 pairs to choose from by rank" in out

    def test_settings_of_two_sweeps_are_named_by_sweep_and_rank(
        self, runs: Path, compare: Callable[..., Said]
    ):
        for sweep, losses in (("small", [0.4, 0.5]), ("large", [0.3, 0.41])):
            make_sweep(runs, f"{sweep}-id", name=sweep)
            for seed, loss in enumerate(losses):
                make_child(runs, f"in {sweep} {seed}", {"seed": seed}, loss, parent=f"{sweep}-id")
        out = " ".join(compare("small#1", "large#1").out.split())
        assert "large#1 is better than small#1 by 0.095" in out

    def test_settings_too_long_for_a_sentence_are_named_by_rank(
        self, runs: Path, compare: Callable[..., Said]
    ):
        make_sweep(runs, name="widths")
        for i, losses in enumerate(([0.3, 0.42], [0.4, 0.5])):
            for seed, loss in enumerate(losses):
                params = {"model.hidden_sizes": [10**i] * 20, "seed": seed}
                make_child(runs, f"r{i}{seed}", params, loss)
        assert ": #1 is ahead of #2 by 0.09 " in compare("widths").out

    def test_a_preset_is_all_its_runs_of_each_seed_the_latest(
        self, runs: Path, compare: Callable[..., Said]
    ):
        for preset, losses in (("small", [9.0, 0.4, 0.42]), ("large", [9.0, 0.3, 0.31])):
            for i, (seed, loss) in enumerate(zip((0, 0, 1), losses, strict=True)):
                folder = make_child(runs, f"a {preset}{i}", {"seed": seed}, loss)
                write_yaml(folder.overrides, [f"experiment={preset}", f"seed={seed}"])
        other = make_child(runs, "other", {"seed": 2}, 9.0)
        write_yaml(other.overrides, ["experiment=small", "seed=2", "optimizer.lr=3"])
        make_sweep(runs, name="small")  # as `make reproduce` names them
        out = " ".join(compare("small", "large").out.split())
        assert "large is better than small by 0.105 " in out
        assert "small (1 of 2) large (1 of 2)" in out
        assert "2 training seeds" in out
        assert compare("small").out.startswith("small  finished, 7 jobs")

    @pytest.mark.usefixtures("sweep")
    @pytest.mark.parametrize(
        ("words", "sentence"),
        [
            (["widths#4", "r00"], "widths has 3 settings, and so no widths#4"),
            (["r00#1", "r01"], "'r00' is a run, and only a sweep has settings, as in sweep#1"),
            (["widths#1"], "'widths#1' is one setting; name another one to compare it with"),
        ],
    )
    def test_a_setting_that_there_is_not_is_refused(
        self, compare: Callable[..., Said], words: list[str], sentence: str
    ):
        said = compare(*words)
        assert (said.status, said.err) == (2, f"mlp: {sentence}\n")


class TestMistake:
    def test_nothing_has_run(self, compare: Callable[..., Said]):
        said = compare("latest")
        assert (said.status, said.out) == (2, "")
        assert said.err.startswith("mlp: there is no sweep in ")
        assert "of runs, name two or more" in said.err

    @pytest.mark.parametrize(
        ("words", "sentence"),
        [
            (["nobody"], "mlp: no run is called 'nobody'"),
            (["aaa"], "mlp: 'aaa' is one run; name another one to compare it with"),
            (["5eed"], "mlp: no run of the sweep has finished yet (none has begun)"),
            (["5eed", "aaa"], "mlp: no run of the sweep has finished yet (none has begun)"),
            (["aaa", "bbb", "--metric", "x"], "mlp: no run has the metric 'x'; there are val/"),
        ],
    )
    def test_it_is_told_in_a_sentence(
        self, runs: Path, compare: Callable[..., Said], words: list[str], sentence: str
    ):
        make_sweep(runs)
        for run_id in ("aaa", "bbb"):
            make_child(runs, run_id, {LR: 0.1}, parent="other")
        said = compare(*words)
        assert (said.status, said.out) == (2, "")
        assert said.err.startswith(sentence)

    def test_rows_are_to_be_shown(self, compare: Callable[..., Said]):
        said = compare("latest", "--top", "0")
        assert said.status == 2
        assert "--top must be at least 1, got 0" in said.err
