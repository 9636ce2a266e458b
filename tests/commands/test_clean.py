"""What is thrown away, and above all what is not."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from mlp.base import RunError, paths
from mlp.clean import main
from mlp.jobs import Criteria, caches, leftovers, remove_from, select
from mlp.runs import RunFolder, RunLock, read_run, undelivered_runs, update_run
from mlp.runs.find import list_runs
from mlp.tracking import MLflowTracking, deliver, mlflow_client, read_counterpart
from tests.cases import make_case, record_whole_run
from tests.records import make_child, make_sweep

Clean = Callable[..., tuple[int, str, str]]


@pytest.fixture
def clean(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], runs: Path, tmp_path: Path
) -> Clean:
    """Call ``python -m mlp.clean``; the data's folder is an empty one."""
    monkeypatch.setattr(paths, "project_root", lambda: tmp_path)
    runs.mkdir()

    def call(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["mlp.clean", *arguments])
        with pytest.raises(SystemExit) as end:
            main()
        return (int(end.value.code or 0), *capsys.readouterr())

    return call


@pytest.fixture
def five(clean: Clean, runs: Path) -> list[str]:
    """The names of five runs: A to E, the earlier the better, D failed, E killed."""
    for i, name in enumerate("abcde"):
        status = {"d": "FAILED", "e": "KILLED"}.get(name, "FINISHED")
        make_child(runs, name, {}, 0.1 * (i + 1), status=status, name=name.upper(), sweep=None)
    return names()


def names() -> list[str]:
    return [read_run(folder).name for folder in list_runs()]


class TestDry:
    def test_nothing_is_deleted_unless_told_to(self, clean: Clean, five: list[str]):
        status, out, _ = clean()
        assert status == 0
        assert [line.split()[-1] for line in out.splitlines()[:-1]] == five
        assert "nothing was deleted" in out
        assert clean("--status", "failed", "killed")[0] == 0
        assert names() == five

    def test_it_does_not_do_with_a_bare_yes(self, clean: Clean, five: list[str]):
        status, _, err = clean("--yes")
        assert (status, "say what" in err) == (2, True)
        assert names() == five

    def test_an_empty_place(self, clean: Clean):
        assert clean() == (0, "nothing to delete\n", "")


class TestRuns:
    @pytest.mark.parametrize(
        ("words", "left"),
        [
            (["--status", "failed", "killed"], "ABC"),
            (["--keep-best", "2"], "AB"),
            (["--keep-last", "2"], "DE"),
            (["--keep-best", "1", "--keep-last", "1"], "AE"),
            (["--keep-best", "1", "--status", "finished"], "ADE"),
            (["B", "D"], "ACE"),
            (["--older-than", "1"], ""),
            (["--older-than", "90000"], "ABCDE"),
        ],
        ids=" ".join,
    )
    def test_criteria(self, clean: Clean, five: list[str], words: list[str], left: str):
        assert clean(*words, "--yes")[0] == 0
        assert "".join(names()) == left

    def test_one_that_is_at_work_stays(self, clean: Clean, five: list[str], runs: Path):
        update_run(RunFolder(runs / "b"), status="RUNNING")
        lock = RunLock(RunFolder(runs / "b"))
        assert clean("--older-than", "0.1", "--yes")[0] == 0
        assert names() == ["B"]
        lock.end()

    def test_a_sweep_goes_with_its_runs_and_no_run_of_it_alone(self, clean: Clean, runs: Path):
        make_sweep(runs)
        for name in ("one", "two"):
            make_child(runs, name, {"seed": 1}, name=name)
        status, _, err = clean("one", "--yes")
        assert (status, "'one' is a run of the sweep 'sweep-5eed'" in err) == (2, True)
        status, out, _ = clean("sweep-5eed", "--yes")
        assert (status, "(2 runs)" in out) == (0, True)
        assert not any(path.is_dir() for path in runs.iterdir())

    def test_a_sweep_that_failed_for_one_run_keeps_the_others_results(
        self, clean: Clean, runs: Path
    ):
        make_sweep(runs, status="FAILED")
        make_child(runs, "good", {"seed": 1})
        make_child(runs, "bad", {"seed": 2}, status="FAILED")
        assert clean("--status", "failed", "killed", "--yes")[0] == 0
        assert (runs / "good").exists()
        assert clean("sweep-5eed", "--status", "failed", "finished", "--yes")[0] == 0
        assert not any(path.is_dir() for path in runs.iterdir())

    def test_a_sweep_with_a_run_at_work_stays(self, clean: Clean, runs: Path):
        make_sweep(runs)
        lock = RunLock(make_child(runs, "one", {"seed": 1}, status="RUNNING"))
        assert select(Criteria(older_than=1)) == []
        with pytest.raises(RunError, match="a process works on 'sweep-5eed'"):
            select(Criteria(names=["sweep-5eed"]))
        lock.end()

    @pytest.mark.e2e
    @pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy")  # in MLflow
    @pytest.mark.filterwarnings("ignore:.*Any type hint is inferred as AnyType")
    def test_in_mlflow_too_with_its_model_and_its_artifacts(self, clean: Clean, runs: Path):
        kept, gone = (
            record_whole_run(make_case(), MLflowTracking(), name=name).folder
            for name in ("kept", "gone")
        )
        deliver(kept)
        deliver(gone)
        run_id = read_counterpart(gone).run_id
        assert clean("gone", "--yes")[0] == 0
        assert not gone.path.exists()
        assert undelivered_runs() == [kept]
        client = mlflow_client()
        experiment = client.get_experiment_by_name("mlp").experiment_id
        assert [run.info.run_name for run in client.search_runs([experiment])] == ["kept"]
        [model] = client.search_logged_models([experiment])
        assert model.source_run_id == read_counterpart(kept).run_id
        assert not [path for path in (runs / "artifacts").rglob("*") if run_id in str(path)]
        models = {path.name for path in (runs / "artifacts" / "models").iterdir()}
        assert models == {model.model_id}

    @pytest.mark.e2e
    def test_it_stays_when_mlflow_cannot_be_asked(
        self, clean: Clean, runs: Path, monkeypatch: pytest.MonkeyPatch
    ):
        monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
        place = {"uri": "http://127.0.0.1:9", "experiment": "mlp"}
        make_child(runs, "a", {}, sweep=None, tracking=place, name="A")
        status, out, err = clean("A", "--yes")
        assert status == 1
        assert "A stays: MLflow says" in err
        assert "deleted: 0 of 1" in out
        assert names() == ["A"]


class TestElsewhere:
    def test_a_run_that_lies_elsewhere_is_refused(self, clean: Clean, runs: Path, tmp_path: Path):
        folder = make_child(tmp_path, "abroad", {}, sweep=None)
        status, _, err = clean(str(folder.path), "--yes")
        assert (status, "does not lie in" in err) == (2, True)
        assert folder.record.exists()

    def test_a_copy_does_not_take_the_original_along(self, clean: Clean, runs: Path):
        make_sweep(runs)
        make_child(runs, "one", {"seed": 1})
        shutil.copytree(runs / "5eed", runs / "backup")
        status, _, err = clean(str(runs / "backup"), "--yes")
        assert (status, "is a copy" in err) == (2, True)
        assert clean("--status", "finished", "--yes")[0] == 0
        assert [path.name for path in runs.iterdir()] == ["backup"]

    def test_what_is_no_data_set_of_ours_is_no_cache(self, clean: Clean, tmp_path: Path):
        thesis = tmp_path / "data" / "cache" / "precious" / "thesis.csv"
        thesis.parent.mkdir(parents=True)
        thesis.write_text("years of work")
        assert clean("--cache", "--yes")[0] == 0
        assert thesis.exists()

    @pytest.mark.parametrize("words", [("--keep-last", "-1"), ("--older-than", "nan")], ids=str)
    def test_numbers_that_make_no_sense(self, clean: Clean, five: list[str], words: list[str]):
        assert clean(*words, "--yes")[0] == 2
        assert names() == five

    def test_a_name_too_long_for_a_path(self, clean: Clean, five: list[str]):
        assert clean("x" * 300)[0] == 2

    def test_links_are_left_alone(self, clean: Clean, runs: Path, tmp_path: Path):
        """Also below a run: the link goes, what it leads to stays."""
        abroad = make_child(tmp_path, "abroad", {}, sweep=None)
        (runs / "link").symlink_to(abroad.path)
        mine = make_child(runs, "mine", {}, sweep=None)
        (mine.path / "figures").symlink_to(abroad.path)
        assert clean("--older-than", "1", "--yes")[0] == 0
        assert [path.name for path in runs.iterdir()] == ["link"]
        assert abroad.record.exists()

    @pytest.mark.parametrize("path", ["..", "../abroad", "link", "."])
    def test_whatever_path_comes_out_of_a_store(self, clean: Clean, runs: Path, path: str):
        (runs.parent / "abroad").mkdir()
        (runs / "link").symlink_to(runs.parent / "abroad")
        with pytest.raises(RunError, match="it stays"):
            remove_from(runs, runs / path)
        assert (runs.parent / "abroad").exists()


class TestLeftovers:
    def test_what_killed_processes_have_left(self, clean: Clean, runs: Path, tmp_path: Path):
        folder = make_child(runs, "a", {}, sweep=None).path
        never_begun = runs / ("0" * 32)
        left = [
            runs / ".run.json.12345678.part",
            folder / ".weights.12345678.part",
            tmp_path / "data" / "cache" / ".digits-1.12345678.part",
            never_begun,
        ]
        for path in left:
            path.mkdir(parents=True)
            (path / "file").write_bytes(bytes(1000))
            os.utime(path, (0, 0))
        (folder / ".recent.56785678.part").touch()
        assert leftovers() == sorted(left)
        status, out, _ = clean("--leftovers", "--yes")
        assert (status, "deleted: 4 of 4, 4.0 kB" in out) == (0, True)
        assert not any(path.exists() for path in left)
        assert (folder / ".recent.56785678.part").exists()
        assert list_runs() == [RunFolder(folder)]

    def test_what_a_living_process_is_writing_is_none(self, clean: Clean, runs: Path):
        folder = make_child(runs, "a", {}, sweep=None, status="RUNNING")
        lock = RunLock(folder)
        (folder.path / ".weights.12345678.part").mkdir()
        os.utime(folder.path / ".weights.12345678.part", (0, 0))
        assert leftovers() == []
        lock.end()


class TestCache:
    def test_decoded_data_are_made_again(self, clean: Clean, tmp_path: Path):
        from mlp.data import Digits

        digest = Digits().load().digest
        [entry] = caches()
        status, out, _ = clean("--cache")
        assert (status, entry.name in out, "decoded data" in out) == (0, True, True)
        assert clean("--cache", "--yes")[0] == 0
        assert list((tmp_path / "data" / "cache").iterdir()) == []
        assert Digits().load().digest == digest
