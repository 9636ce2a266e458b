"""Finding a run again by what a user remembers of it."""

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from mlp.base import ConfigError, RunError
from mlp.runs import RunFolder, check_name, check_tags, find_run, read_run, update_run
from mlp.runs.find import list_runs
from mlp.runs.record import Record
from tests.records import RUN, START, make_child, make_run, make_sweep


def best(**metrics: float) -> dict[str, float]:
    return {"epoch": 1, "train/loss": 9.0} | {k.replace("_", "/"): v for k, v in metrics.items()}


class TestReference:
    def test_latest_is_the_last_started_whatever_became_of_it(self, runs: Path):
        make_run(runs, "bbb")
        latest = make_run(runs, "aaa", status="FAILED")
        assert find_run("latest") == latest

    def test_id_prefix_name_and_folder_mean_the_run(self, runs: Path, tmp_path: Path):
        make_run(runs, "ab12")
        wanted = make_run(runs, "ab34", name="my best one")
        for reference in ("ab34", "ab3", "my best one", str(wanted.path)):
            assert find_run(reference) == wanted

    def test_a_folder_that_was_moved_and_renamed_is_a_run_still(self, runs: Path, tmp_path: Path):
        shutil.move(make_run(runs, "ab12").path, tmp_path / "elsewhere")
        assert find_run(str(tmp_path / "elsewhere")).path == tmp_path / "elsewhere"

    def test_a_whole_id_wins_over_longer_ones_that_start_so(self, runs: Path):
        short = make_run(runs, "ab")
        make_run(runs, "abc")
        assert find_run("ab") == short

    @pytest.mark.parametrize("reference", ["ab", "twin"])
    def test_an_ambiguous_reference_is_refused_with_its_candidates(self, runs: Path, reference):
        make_run(runs, "ab12", name="twin")
        make_run(runs, "ab34", name="twin")
        with pytest.raises(RunError, match=r"means 2 runs:(\n.*ab12.*)(\n.*ab34.*)"):
            find_run(reference)

    def test_an_unknown_reference_offers_the_nearest_name(self, runs: Path):
        make_run(runs, "ab12", name="baseline")
        with pytest.raises(RunError, match=r"did you mean 'baseline'"):
            find_run("basline")

    def test_no_run_at_all_is_said(self, runs: Path):
        with pytest.raises(RunError, match="there is no run in"):
            find_run("latest")

    def test_a_sweep_is_found_by_name_and_id_but_is_no_training(self, runs: Path):
        training = make_run(runs, "ab12")
        sweep = make_sweep(runs, "cd34", name="lr_width")
        assert find_run("lr_width") == find_run("cd") == sweep
        assert find_run("best") == training
        assert list_runs() == [training]

    def test_latest_is_the_sweep_and_not_its_last_job(self, runs: Path):
        make_run(runs, "aaa")
        sweep = make_sweep(runs, started=START + timedelta(hours=1))
        make_child(runs, "b", {"seed": 1}, started=START + timedelta(hours=3))
        assert find_run("latest") == sweep
        alone = make_run(runs, "ccc", started=START + timedelta(hours=2))
        assert find_run("latest") == alone
        shutil.rmtree(sweep.path)  # as of a single run that was sent from another machine
        assert find_run("latest") == RunFolder(runs / "b")


class TestBest:
    def test_a_loss_is_best_when_low_and_an_accuracy_when_high(self, runs: Path):
        low = make_run(runs, "a", best=best(val_loss=0.1, val_accuracy=0.5))
        high = make_run(runs, "b", best=best(val_loss=0.2, val_accuracy=0.9))
        assert find_run("best") == low
        make_run(runs, "c", monitor="val/accuracy", best=best(val_loss=0.3, val_accuracy=0.1))
        assert find_run("best") == high

    def test_only_finished_runs_on_the_latest_finished_ones_data_compete(self, runs: Path):
        make_run(runs, "a", best=best(val_loss=0.01), data={"digest": "other"})
        make_run(runs, "b", best=best(val_loss=0.02), status="KILLED")
        good = make_run(runs, "c", best=best(val_loss=0.3))
        make_run(runs, "d", best=best(val_loss=0.4))
        make_run(runs, "e", status="FAILED", best=None, data={"digest": "other"})
        assert find_run("best") == good

    def test_the_training_loss_decides_where_it_was_monitored(self, runs: Path):
        make_run(runs, "a", best={"epoch": 1, "train/loss": 0.3}, monitor="train/loss")
        low = make_run(runs, "b", best={"epoch": 1, "train/loss": 0.2}, monitor="train/loss")
        make_run(runs, "c", best={"epoch": 1, "train/loss": 0.4}, monitor="train/loss")
        assert find_run("best") == low

    @pytest.mark.parametrize(
        "changes",
        [
            {"data": {"split": "other"}},
            {"model": RUN["model"] | {"loss": "MeanSquaredError"}},
            {"limited": True},
        ],
    )
    def test_only_the_like_is_compared(self, runs: Path, changes: dict[str, Any]):
        make_run(runs, "a", best=best(val_loss=0.0), **changes)
        good = make_run(runs, "b", best=best(val_loss=0.3))
        assert find_run("best") == good

    def test_a_limited_run_is_never_the_best(self, runs: Path):
        make_run(runs, "a", limited=True)
        with pytest.raises(RunError, match="overfit_batches does not count"):
            find_run("best")

    def test_no_finished_run_is_said(self, runs: Path):
        make_run(runs, "a", status="FAILED", best=None)
        with pytest.raises(RunError, match="no run has finished"):
            find_run("best")


class TestList:
    def test_runs_come_in_the_order_of_their_start(self, runs: Path):
        folders = [make_run(runs, run_id) for run_id in "cab"]
        assert list_runs() == folders

    def test_a_damaged_record_does_not_hide_the_others(self, runs: Path):
        good = make_run(runs, "good")
        make_run(runs, "bad").record.write_text('{"id": "ba')
        make_run(runs, "odd").record.write_text("[1, 2]")
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


class TestUnreadable:
    def test_its_folder_is_named_with_the_reason(self, runs: Path):
        make_run(runs, "aaa")
        folder = make_run(runs, "bbb")
        folder.record.write_text("{}")
        with pytest.raises(RunError, match=r"bbb/run.json cannot be read .* no 'kind'"):
            find_run("bb")

    def test_monitor_that_was_never_measured_is_not_the_best(self, runs: Path):
        """It hinders no other run, either."""
        make_run(runs, "aaa")
        make_run(runs, "bbb", monitor="val/foo", started=datetime(2026, 6, 1, tzinfo=UTC))
        assert find_run("best").path.name == "aaa"


class TestIndex:
    """A record is read when it has changed, and not again."""

    @pytest.fixture
    def reads(self, monkeypatch: pytest.MonkeyPatch) -> list[str]:
        reads: list[str] = []

        def counted(folder: RunFolder) -> Record:
            reads.append(folder.path.name)
            return read_run(folder)

        monkeypatch.setattr("mlp.runs.index.read_run", counted)
        return reads

    def test_reads_each_record_once(self, runs: Path, reads: list[str]):
        for name in ("aaa", "bbb"):
            make_run(runs, name)
        for _ in range(3):
            assert find_run("bbb").path.name == "bbb"
        assert sorted(reads) == ["aaa", "bbb"]

    def test_reads_what_has_changed(self, runs: Path, reads: list[str]):
        folder = make_run(runs, "aaa")
        find_run("aaa")
        update_run(folder, name="renamed")
        assert find_run("renamed").path == folder.path
        assert reads == ["aaa", "aaa"]

    def test_forgets_what_is_gone(self, runs: Path):
        for name in ("aaa", "bbb"):
            make_run(runs, name)
        find_run("aaa")
        shutil.rmtree(runs / "aaa")
        with pytest.raises(RunError, match="no run is called 'aaa'"):
            find_run("aaa")

    @pytest.mark.parametrize("content", [b"", b"[]", b'{"aaa": ["", {}]}', b"\xff"])
    def test_is_rebuilt_when_damaged(self, runs: Path, content: bytes):
        make_run(runs, "aaa")
        find_run("aaa")
        (runs / "index.json").write_bytes(content)
        assert find_run("aaa").path.name == "aaa"
        assert find_run("aaa").path.name == "aaa"

    def test_is_done_without_where_it_cannot_be(self, runs: Path):
        make_run(runs, "aaa")
        (runs / "index.json").mkdir()
        assert find_run("aaa").path.name == "aaa"
