"""Finding a run again by what a user remembers of it."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from mlp.base import ConfigError, RunError
from mlp.runs import RunFolder, check_name, check_tags, find_run, write_run
from mlp.runs.find import list_runs


def make_run(runs: Path, run_id: str, minute: int, **changes: Any) -> RunFolder:
    """Write the record of a run that started in the given minute."""
    folder = RunFolder(runs / run_id)
    folder.path.mkdir(parents=True)
    record = {
        "id": run_id,
        "name": f"name-{run_id}",
        "status": "FINISHED",
        "started": f"2026-01-01T10:{minute:02}:00+00:00",
        "monitor": "val/loss",
        "best": {"epoch": 3, "val/loss": 0.5, "val/accuracy": 0.5, "train/loss": 0.5},
        "data": {"digest": "same"},
    }
    write_run(folder, record | changes)
    return folder


def best(**metrics: float) -> dict[str, float]:
    return {"epoch": 1, "train/loss": 9.0} | {k.replace("_", "/"): v for k, v in metrics.items()}


class TestReference:
    def test_latest_is_the_last_started_whatever_became_of_it(self, runs: Path):
        make_run(runs, "bbb", 1)
        latest = make_run(runs, "aaa", 2, status="FAILED")
        assert find_run("latest") == latest

    def test_id_prefix_name_and_folder_mean_the_run(self, runs: Path, tmp_path: Path):
        make_run(runs, "ab12", 1)
        wanted = make_run(runs, "ab34", 2, name="my best one")
        for reference in ("ab34", "ab3", "my best one", str(wanted.path)):
            assert find_run(reference) == wanted

    def test_a_folder_that_was_moved_and_renamed_is_a_run_still(self, runs: Path, tmp_path: Path):
        shutil.move(make_run(runs, "ab12", 1).path, tmp_path / "elsewhere")
        assert find_run(str(tmp_path / "elsewhere")).path == tmp_path / "elsewhere"

    def test_a_whole_id_wins_over_longer_ones_that_start_so(self, runs: Path):
        short = make_run(runs, "ab", 1)
        make_run(runs, "abc", 2)
        assert find_run("ab") == short

    @pytest.mark.parametrize("reference", ["ab", "twin"])
    def test_an_ambiguous_reference_is_refused_with_its_candidates(self, runs: Path, reference):
        make_run(runs, "ab12", 1, name="twin")
        make_run(runs, "ab34", 2, name="twin")
        with pytest.raises(RunError, match=r"means 2 runs:(\n.*ab12.*)(\n.*ab34.*)"):
            find_run(reference)

    def test_an_unknown_reference_offers_the_nearest_name(self, runs: Path):
        make_run(runs, "ab12", 1, name="baseline")
        with pytest.raises(RunError, match=r"did you mean 'baseline'"):
            find_run("basline")

    def test_no_run_at_all_is_said(self, runs: Path):
        with pytest.raises(RunError, match="there is no run in"):
            find_run("latest")

    def test_a_sweep_is_found_by_name_and_id_but_is_no_training(self, runs: Path):
        training = make_run(runs, "ab12", 1)
        sweep = make_run(runs, "cd34", 2, kind="sweep", name="lr_width", best={"val/loss": 0.0})
        assert find_run("lr_width") == find_run("cd") == sweep
        assert find_run("latest") == find_run("best") == training
        assert list_runs() == [training]


class TestBest:
    def test_a_loss_is_best_when_low_and_an_accuracy_when_high(self, runs: Path):
        low = make_run(runs, "a", 1, best=best(val_loss=0.1, val_accuracy=0.5))
        high = make_run(runs, "b", 2, best=best(val_loss=0.2, val_accuracy=0.9))
        assert find_run("best") == low
        make_run(runs, "c", 3, monitor="val/accuracy", best=best(val_loss=0.3, val_accuracy=0.1))
        assert find_run("best") == high

    def test_only_finished_runs_on_the_latest_finished_ones_data_compete(self, runs: Path):
        make_run(runs, "a", 1, best=best(val_loss=0.01), data={"digest": "other"})
        make_run(runs, "b", 2, best=best(val_loss=0.02), status="KILLED")
        good = make_run(runs, "c", 3, best=best(val_loss=0.3))
        make_run(runs, "d", 4, best=best(val_loss=0.4))
        make_run(runs, "e", 5, status="FAILED", best=None, data={"digest": "other"})
        assert find_run("best") == good

    def test_without_a_monitor_the_training_loss_decides(self, runs: Path):
        make_run(runs, "a", 1, best={"epoch": 1, "train/loss": 0.3}, monitor=None)
        low = make_run(runs, "b", 2, best={"epoch": 1, "train/loss": 0.2}, monitor=None)
        make_run(runs, "c", 3, best={"epoch": 1, "train/loss": 0.4}, monitor=None)
        assert find_run("best") == low

    def test_no_finished_run_is_said(self, runs: Path):
        make_run(runs, "a", 1, status="FAILED", best=None)
        with pytest.raises(RunError, match="no run has finished"):
            find_run("best")


class TestList:
    def test_runs_come_in_the_order_of_their_start(self, runs: Path):
        folders = [make_run(runs, run_id, i) for i, run_id in enumerate("cab")]
        assert list_runs() == folders

    def test_a_damaged_record_does_not_hide_the_others(self, runs: Path):
        good = make_run(runs, "good", 1)
        make_run(runs, "bad", 2).record.write_text('{"id": "ba')
        make_run(runs, "odd", 3).record.write_text("[1, 2]")
        assert list_runs() == [good]


class TestNames:
    @pytest.mark.parametrize("name", ["", "  ", "a\nb", "\x1b[31m", "x" * 201, "latest", "best"])
    def test_a_name_that_cannot_be_shown_or_found_is_refused(self, name: str):
        with pytest.raises(ConfigError, match=r"^name must"):
            check_name(name)

    @pytest.mark.parametrize("name", [None, "a", "../a", "Größe 1/2", "x" * 200])
    def test_any_other_name_is_fine(self, name: str | None):
        check_name(name)

    @pytest.mark.parametrize("key", ["", "..", "/a", "a\n", "a:b/c", "x" * 201])
    def test_a_tag_that_mlflow_would_not_take_is_refused(self, key: str):
        with pytest.raises(ConfigError, match=r"^tags"):
            check_tags({key: 1})

    def test_an_ordinary_tag_is_fine(self):
        check_tags({"team": "a", "2nd try": True, "a.b-c": None})
