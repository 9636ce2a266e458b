"""A run started from Python, and what a signal does to it."""

import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from mlp.base import ConfigError
from mlp.data import Digits
from mlp.jobs import evaluate_run, run_job
from mlp.nn import load
from mlp.reports import Console
from mlp.runs import RunFolder, read_run
from mlp.runs.find import list_runs
from mlp.training import Callback, Event, Predictor, StopOnSignal
from tests.cases import composed

pytestmark = pytest.mark.e2e

QUICK = ("data=digits", "tracking=none", "trainer.max_epochs=2", "test=false")


def test_result_tells_what_has_become_of_the_run(capsys: pytest.CaptureFixture[str]):
    """Nothing is shown unless a console is given."""
    result = run_job(composed(*QUICK))
    assert (result.record.status, result.signal) == ("FINISHED", None)
    assert result.record.best.epoch == 2
    assert result.record.stop_reason == "max_epochs=2 reached"
    assert result.folder.path.name == result.record.id
    assert capsys.readouterr().out == ""


def test_a_figure_that_fails_does_not_fail_the_run(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    def fail(*_: object) -> None:
        raise ZeroDivisionError("no ink")

    monkeypatch.setattr("mlp.jobs.figures.draw_training_figures", fail)
    result = run_job(composed(*QUICK))
    assert result.record.status == "FINISHED"
    assert caplog.messages == ["the figures could not be drawn: no ink"]
    log = result.folder.log.read_text()
    assert "ZeroDivisionError: no ink" in log


class Listening(Callback):
    """A callback that writes into the run's folder what it hears."""

    def __init__(self, word: str = "heard", fails: bool = False):
        self.word, self.fails = word, fails

    def begin(self, folder: Path) -> None:
        if self.fails:
            raise OSError("no space")
        self.folder = folder

    def __call__(self, event: Event) -> None:
        with (self.folder / "heard.txt").open("a") as file:
            file.write(f"{self.word} {type(event).__name__}\n")


def test_callbacks_hear_the_training_and_one_that_fails_is_left_out(
    caplog: pytest.LogCaptureFixture,
):
    words = ["callbacks.a.word=I heard", "callbacks.b.fails=true"]
    words += [f"callbacks.{name}._target_={__name__}.Listening" for name in "ab"]
    result = run_job(composed(*QUICK, *words))
    heard = (result.folder.path / "heard.txt").read_text().splitlines()
    assert heard == [f"I heard {e}" for e in ("RunStarted", "EpochEnded", "EpochEnded", "RunEnded")]
    assert result.record.status == "FINISHED"
    assert caplog.messages == ["callbacks.b failed and is left out"]


def test_the_result_is_shown_before_the_figures_are_drawn(monkeypatch: pytest.MonkeyPatch):
    """And the record is complete by then."""
    order = []

    class Spy(Console):
        def show_result(self, record: Mapping[str, Any], folder: Path) -> None:
            order.append(read_run(RunFolder(folder)).status)

    monkeypatch.setattr("mlp.jobs.figures.draw_training_figures", lambda *_: order.append("drawn"))
    run_job(composed(*QUICK), console=Spy(quiet=True))
    assert order == ["FINISHED", "drawn"]


@pytest.mark.parametrize(
    ("words", "drawn"),
    [
        (["data=moons"], True),
        (["data=moons", "task=binary", "refit=true"], True),
        (["data=csv", "data.path=flat.csv", "data.target=kind"], True),
        (["data=csv", "data.path=flat.csv", "data.target=x", "task=regression"], False),
        (["data=sklearn", "data.name=iris"], False),
    ],
)
def test_the_boundary_is_drawn_where_data_are_classes_of_two_numbers(
    words: list[str], drawn: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    rows = [f"{i % 7},{i % 5 or ''},{'ab'[i % 2]}" for i in range(60)]
    Path("flat.csv").write_text("\n".join(["x,y,kind", *rows]))
    result = run_job(composed(*words, "tracking=none", "trainer.max_epochs=3"))
    assert (result.folder.figures / "boundary.png").exists() == drawn


def test_deskewing_is_done_wherever_the_network_is_used():
    words = ["data=digits", "data.deskew=true", "tracking=none", "trainer.max_epochs=2"]
    result = run_job(composed(*words))
    tested = result.record.test.metrics["accuracy"]
    assert evaluate_run(result.folder).metrics["accuracy"] == tested
    dataset = Digits().load()
    names = Predictor.load(result.folder.weights).predict(dataset.x_test)
    assert np.mean(names.astype(int) == dataset.y_test) == tested


@pytest.mark.parametrize(("data", "last"), [("digits", "mistakes"), ("moons", "boundary")])
def test_a_short_job_of_a_sweep_is_drawn_when_it_is_evaluated(data: str, last: str):
    """As it would have been at its end."""
    job = {"parent": "p", "key": "k", "name": "n", "params": {}}
    config = composed(f"data={data}", *QUICK[1:])
    alone, folder = run_job(config).folder, run_job(config, sweep=job).folder
    assert not folder.figures.exists()
    evaluate_run(folder)
    names = {path.name for path in folder.figures.iterdir()}
    assert names == {path.name for path in alone.figures.iterdir()} >= {f"{last}.png"}
    assert (folder.figures / "curves.png").read_bytes() == (
        alone.figures / "curves.png"
    ).read_bytes()


def test_what_augmentation_does_is_drawn():
    for augment, is_drawn in (("elastic", True), ("none", False)):
        result = run_job(composed(*QUICK, f"augment={augment}"))
        assert (result.folder.figures / "augmentation.png").exists() == is_drawn


def test_only_images_are_augmented(tmp_path: Path):
    np.savez(tmp_path / "rows.npz", x_train=np.eye(20), y_train=np.arange(20) % 2)
    words = ["data=npz", f"data.path={tmp_path / 'rows.npz'}", "augment=elastic", "tracking=none"]
    with pytest.raises(ConfigError, match="augment changes images, and the rows of these data"):
        run_job(composed(*words))


@pytest.mark.parametrize("scale", ["standardize", "robust"])
def test_pixels_that_are_scaled_apart_are_not_moved(runs: Path, scale: str):
    """Nor filled with 0, which is a mean and no background."""
    sentence = f"augment moves pixels, and data.scale={scale} .* set data.scale=unit"
    with pytest.raises(ConfigError, match=sentence):
        run_job(composed(*QUICK, "augment=affine", f"data.scale={scale}"))
    assert not runs.exists()


def test_jobs_of_one_process_do_not_influence_each_other():
    first, _, again = [run_job(composed(*QUICK, f"seed={seed}")) for seed in (0, 1, 0)]
    one, other = (load(result.folder.weights).params for result in (first, again))
    assert np.array_equal(one, other)
    assert first.record.metrics["val/loss"] == again.record.metrics["val/loss"]


@pytest.mark.parametrize(
    ("word", "expected"), [("threads=2", 2), ("threads=null", 1), ("trainer.batch_size=100000", 2)]
)
def test_blas_threads_are_set_for_the_run_only(word, expected):
    """As many as asked for; by default one in a small training, the library's own in a large."""

    def threads() -> list[int]:
        return [pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"]

    class Spy(Console):
        """Looks when the network is built."""

        def show_plan(self, *_: object) -> None:
            seen.extend(threads())

    seen: list[int] = []
    with threadpool_limits(2, user_api="blas"):
        run_job(composed(*QUICK, word), console=Spy(quiet=True))
        assert set(seen) == {expected}
        assert set(threads()) == {2}


def test_a_network_too_large_for_memory_is_refused_before_a_run_is_opened():
    with pytest.raises(ConfigError, match=r"model\.hidden_sizes make .* GB are available"):
        run_job(composed(*QUICK, "model.hidden_sizes=[10000000,10000000]"))
    assert list_runs() == []


def test_a_schedule_that_has_nothing_to_follow_is_refused():
    blind = [*QUICK, "schedule=reduce_on_plateau", "data.validation=none"]
    with pytest.raises(ConfigError, match=r"set trainer\.monitor=train/loss"):
        run_job(composed(*blind))
    assert list_runs() == []
    run_job(composed(*blind, "trainer.monitor=train/loss"))
    run_job(composed(*blind, "trainer.overfit_batches=1"))


class TestInterruption:
    def test_first_signal_asks_the_training_to_stop(self):
        with StopOnSignal() as interruption:
            assert interruption.after_step() is None
            signal.raise_signal(signal.SIGTERM)
            assert interruption.after_step() == "stopped by SIGTERM"
            assert interruption.signal == signal.SIGTERM

    @pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
    def test_second_signal_ends_at_once(self, number: int, status: int):
        with StopOnSignal():
            signal.raise_signal(signal.SIGINT)
            with pytest.raises(SystemExit) as end:
                signal.raise_signal(number)
        assert end.value.code == status

    def test_handlers_are_put_back(self):
        before = signal.getsignal(signal.SIGINT)
        with StopOnSignal():
            assert signal.getsignal(signal.SIGINT) is not before
        assert signal.getsignal(signal.SIGINT) is before
