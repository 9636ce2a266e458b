"""A run that goes on is the run that was never interrupted; its past cannot be changed."""

import json
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from mlp.base import ConfigError, RunError
from mlp.jobs import evaluate_run, resume_run, run_job
from mlp.nn import Schedule
from mlp.runs import read_history, read_run, update_run
from mlp.runs.find import list_runs
from mlp.tracking import mlflow_client, read_counterpart, wait_for_delivery
from mlp.tracking.mirror_start import lock_file
from tests.conftest import Said
from tests.jobs.interruptions import (
    QUICK,
    Killer,
    Stopper,
    assert_same,
    finished,
    interrupted,
    short,
    weights,
)

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.usefixtures("without_figures", "checkpoint_each_epoch"),
]

Command = Callable[..., Said]
MAYBE = ["model.dropout=0.2", "model.batch_norm=true", "optimizer=nadam", "schedule=one_cycle"]
MAYBE += ["augment=affine_elastic"]


class CoolDown(Schedule):
    """A schedule of one's own that is low in the last tenth of a training."""

    def factor(self, epoch: float, horizon: float) -> float:
        return 0.1 if epoch > 0.9 * horizon else 1.0


class TestTheSame:
    @pytest.mark.parametrize("epoch", [2, 5])
    def test_bits_and_figures(self, epoch: int):
        folder = interrupted(*MAYBE, epoch=epoch)
        assert read_run(folder).status == "KILLED"
        result = resume_run("latest")
        assert result.folder == folder
        assert_same(folder, finished(*MAYBE))

    def test_also_after_several_interruptions(self, monkeypatch: pytest.MonkeyPatch):
        folder = interrupted(epoch=2)
        for epoch in (3, 5):
            with monkeypatch.context() as patch:
                patch.setattr("mlp.jobs.resume.run_job", partial(run_job, pruner=Killer(epoch)))
                with pytest.raises(KeyboardInterrupt):
                    resume_run("latest")
        resume_run("latest")
        assert len(read_run(folder).resumed) == 3
        assert_same(folder, finished())

    def test_without_a_checkpoint_it_starts_over_in_its_folder(
        self, caplog: pytest.LogCaptureFixture
    ):
        folder = interrupted("trainer.checkpoint_every=null")
        resume_run("latest")
        assert "there is no checkpoint: the training starts over" in caplog.text
        assert "there is no checkpoint" in folder.log.read_text()
        assert_same(folder, finished())

    def test_a_damaged_checkpoint_is_named_and_the_one_before_it_used(
        self, caplog: pytest.LogCaptureFixture
    ):
        folder = interrupted()
        newest = folder.checkpoints / "epoch-3" / "params.npy"
        newest.write_bytes(newest.read_bytes()[:-1] + b"?")
        resume_run("latest")
        for told in (caplog.text, folder.log.read_text()):
            assert f"{newest} is damaged" in told
        assert "continued after epoch 2" in folder.log.read_text()
        assert_same(folder, finished())

    def test_a_line_that_was_cut_off_and_lost_ones_are_made_good(self):
        """A power cut can take rows of the history that the checkpoint still knows."""
        folder = interrupted()
        lines = folder.history.read_bytes().splitlines(keepends=True)
        folder.history.write_bytes(b"".join(lines[:3]) + lines[3][:20])
        resume_run("latest")
        assert_same(folder, finished())

    def test_an_epoch_keeps_the_time_at_which_it_was_recorded(self):
        """Although it is trained again: the history is not rewritten."""
        folder = interrupted()
        before = folder.history.read_text()
        resume_run("latest")
        assert folder.history.read_text().startswith(before)

    def test_time_is_that_of_all_starts_and_none_in_between(self):
        folder = interrupted()
        first = read_run(folder).seconds
        result = resume_run("latest")
        record = read_run(result.folder)
        assert first < record.seconds < first + 60

    def test_checkpoints_are_there_until_it_has_finished(self):
        folder = interrupted()
        assert {path.name for path in folder.checkpoints.iterdir()} == {"epoch-2", "epoch-3"}
        resume_run("latest")
        assert not folder.checkpoints.exists()
        assert not list(folder.path.glob(".*"))
        assert not folder.alive.exists()

    def test_as_many_threads_as_it_had(self):
        """Another number would mean other last bits."""
        folder = interrupted("threads=null")
        record = json.loads(folder.record.read_text())
        record["provenance"]["blas"]["threads"] = 2
        folder.record.write_text(json.dumps(record))
        resume_run("latest")
        assert read_run(folder).resumed[0].provenance.blas.threads == 2


@pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy")  # in MLflow
class TestMLflow:
    def test_one_run_with_each_step_once(self):
        folder = interrupted("tracking=mlflow")
        wait_for_delivery([folder])
        client, run_id = mlflow_client(), read_counterpart(folder).run_id
        before = client.get_run(run_id)
        assert before.info.status == "KILLED"
        resume_run("latest", ["trainer.max_epochs=8"])
        after = client.get_run(run_id)
        assert len(client.search_runs([after.info.experiment_id])) == 1
        assert after.info.status == "FINISHED"
        assert after.data.params == before.data.params
        assert after.data.tags["mlp.resumed.trainer.max_epochs"] == "8"
        for name, value in after.data.metrics.items():
            steps = [metric.step for metric in client.get_metric_history(run_id, name)]
            assert len(steps) == len(set(steps)), name
            if name in ("val/loss", "seconds"):
                assert steps == list(range(1, 9))
                assert value == read_history(folder)[-1][name]

    @pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy")  # in MLflow
    def test_rows_that_only_mlflow_still_has_stay_there_as_they_are(self):
        """A power cut took the end of the history, and of the checkpoints; MLflow has it."""
        folder = interrupted("tracking=mlflow", epoch=5)
        before = folder.history.read_text()
        folder.history.write_text("".join(before.splitlines(keepends=True)[:3]))
        shutil.rmtree(folder.checkpoints / "epoch-4")
        resume_run("latest")
        assert [row["epoch"] for row in read_history(folder)] == [1, 2, 3, 4, 5, 6]
        client = mlflow_client()
        for name in ("val/loss", "seconds", "examples_per_second"):
            sent = client.get_metric_history(read_counterpart(folder).run_id, name)
            assert [metric.step for metric in sent] == [1, 2, 3, 4, 5, 6]

    @pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy")  # in MLflow
    @pytest.mark.filterwarnings("ignore:.*Any type hint is inferred as AnyType")
    def test_the_model_of_a_longer_run_is_the_new_one(self, monkeypatch: pytest.MonkeyPatch):
        import mlflow

        folder = finished("tracking=mlflow", "trainer.keep_checkpoint=true")
        resume_run("latest", ["trainer.max_epochs=9"])
        client = mlflow_client()
        run = client.get_run(read_counterpart(folder).run_id)
        [model] = client.search_logged_models([run.info.experiment_id])
        assert model.source_run_id == run.info.run_id
        monkeypatch.setenv("MLFLOW_TRACKING_URI", client.tracking_uri)
        mlflow.set_tracking_uri(client.tracking_uri)  # MLflow may have kept an earlier test's
        place = mlflow.artifacts.download_artifacts(f"runs:/{run.info.run_id}/model")
        stored = {path.name: path.read_bytes() for path in Path(place).glob("**/weights/*.npy")}
        assert stored == weights(folder)

    @pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy")  # in MLflow
    def test_a_database_that_is_gone_is_made_anew_and_has_all_of_the_run(self, runs: Path):
        folder = interrupted("tracking=mlflow")
        wait_for_delivery([folder])
        lock_file().unlink()  # whoever has opened the old one is not asked
        (runs / "mlflow.db").unlink()
        resume_run("latest")
        client = mlflow_client()
        sent = client.get_metric_history(read_counterpart(folder).run_id, "val/loss")
        assert [metric.step for metric in sent] == [1, 2, 3, 4, 5, 6]


class TestTwice:
    def test_a_second_interruption_leaves_what_the_first_has_stored(
        self, monkeypatch: pytest.MonkeyPatch
    ):
        """No checkpoint was due yet, so that the second start is at its beginning again."""
        stop = partial(run_job, pruner=Stopper(4))
        folder = stop(short("trainer.checkpoint_every=null")).folder
        update_run(folder, status="KILLED", pruned=False)
        best, stored = read_run(folder).best, weights(folder)
        monkeypatch.setattr("mlp.jobs.resume.run_job", partial(run_job, pruner=Stopper(1)))
        resume_run("latest")
        record = read_run(folder)
        assert (record.best, record.epochs, weights(folder)) == (best, 4, stored)
        evaluate_run(folder)
        assert record.test.metrics == read_run(folder).test.metrics

    def test_checkpoints_after_damaged_ones_are_kept(self, monkeypatch: pytest.MonkeyPatch):
        folder = interrupted(epoch=5)
        for path in folder.checkpoints.glob("epoch-*/params.npy"):
            path.write_bytes(b"?")
        monkeypatch.setattr("mlp.jobs.resume.run_job", partial(run_job, pruner=Killer(4)))
        with pytest.raises(KeyboardInterrupt):
            resume_run("latest")
        sound = {path.name for path in folder.checkpoints.glob("epoch-*")}
        assert sound == {"epoch-2", "epoch-3"}

    def test_a_resumption_that_fails_does_not_look_alive(self):
        folder = interrupted()
        folder.history.write_text("epoch,timestamp\n1,x\n")
        with pytest.raises(RunError, match=r"history\.csv is damaged"):
            resume_run("latest")
        assert read_run(folder).status == "KILLED"
        assert not folder.alive.exists()


class TestDamaged:
    @pytest.mark.parametrize("key", ["data", "provenance", "process", "command"])
    def test_record_that_lacks_something(self, key: str):
        folder = interrupted()
        record = json.loads(folder.record.read_text())
        del record[key]
        folder.record.write_text(json.dumps(record))
        with pytest.raises(RunError, match=rf"run\.json cannot be read .*: '{key}'"):
            resume_run(str(folder.path))

    @pytest.mark.parametrize(
        ("text", "why"),
        [
            ("", "does not hold a configuration"),
            ("model: {}", "is damaged: there is no trainer"),
            ("trainer: [1, 2]", "is damaged: there is no trainer"),
        ],
    )
    def test_configuration_that_has_lost_a_group(self, text: str, why: str):
        folder = interrupted()
        record = read_run(folder)
        again = {"at": record.started, "provenance": record.provenance}
        update_run(folder, resumed=[again | {"changes": {"trainer.max_epochs": 9}}])
        folder.config.write_text(text)
        with pytest.raises(RunError, match=rf"config\.yaml {why}"):
            resume_run("latest")

    def test_no_checkpoint_is_sound(self, caplog: pytest.LogCaptureFixture):
        folder = interrupted(epoch=2)
        (folder.checkpoints / "epoch-1" / "params.npy").unlink()
        resume_run("latest")
        assert "no checkpoint is sound: the training starts over" in caplog.text
        assert_same(folder, finished())


class TestLonger:
    def test_no_job_of_a_sweep_which_would_be_another_job(self, mlp_run: Command):
        mlp_run("-m", *QUICK, "seed=1,2", "trainer.keep_checkpoint=true")
        with pytest.raises(ConfigError, match=r"max_epochs cannot be raised for a job of a sweep"):
            resume_run(str(list_runs()[-1].path), ["trainer.max_epochs=9"])

    def test_more_epochs_as_if_they_had_been_meant_from_the_beginning(self):
        folder = interrupted()
        resume_run("latest", ["trainer.max_epochs=9"])
        assert_same(folder, finished("trainer.max_epochs=9"))

    def test_of_a_finished_run_whose_checkpoint_was_kept(self):
        folder = finished("trainer.keep_checkpoint=true")
        resume_run("latest", ["trainer.max_epochs=9"])
        assert_same(folder, finished("trainer.max_epochs=9"))

    def test_more_patience(self):
        words = ["optimizer.lr=0.5", "trainer.max_epochs=60"]
        folder = finished(*words, "trainer.patience=2", "trainer.keep_checkpoint=true")
        assert "has not improved" in read_run(folder).stop_reason
        resume_run("latest", ["trainer.patience=4"])
        assert_same(folder, finished(*words, "trainer.patience=4"))

    def test_a_raised_limit_stays_raised(self):
        folder = interrupted()
        resume_run("latest", ["trainer.max_epochs=8", "trainer.keep_checkpoint=true"])
        resume_run("latest", ["trainer.patience=20"])
        assert read_run(folder).epochs == 8
        with pytest.raises(ConfigError, match=r"can only be raised: it is 8, got 7"):
            resume_run("latest", ["trainer.max_epochs=7"])

    @pytest.mark.parametrize("schedule", ["coslog", "tests.jobs.test_resume.CoolDown"])
    def test_no_schedule_whose_past_would_be_another(self, schedule: str):
        words = [f"schedule._target_={schedule}"] if "." in schedule else [f"schedule={schedule}"]
        interrupted(*words, epoch=2)
        with pytest.raises(ConfigError, match=r"cannot be raised: the schedule Co.* over 6 epochs"):
            resume_run("latest", ["trainer.max_epochs=9"])

    @pytest.mark.parametrize("schedule", ["cosine", "coslog"])
    def test_a_schedule_with_a_horizon_of_its_own(self, schedule: str):
        words = [f"schedule={schedule}", "schedule.horizon=6"]
        folder = interrupted(*words)
        resume_run("latest", ["trainer.max_epochs=9"])
        assert_same(folder, finished(*words, "trainer.max_epochs=9"))
