"""Training again on all rows, once the validation rows have said for how long."""

import os
import signal
from collections.abc import Callable
from contextlib import suppress

import numpy as np
import pytest

from mlp.base import ConfigError
from mlp.jobs import run_job
from mlp.nn import load
from mlp.runs import RunFolder, read_run
from mlp.runs.find import list_runs
from mlp.training import EpochEnded, EpochLimit
from tests.cases import composed

pytestmark = [pytest.mark.e2e, pytest.mark.usefixtures("without_figures")]

WORDS = ["data=digits", "tracking=none", "threads=1"]
WORDS += ["model.dropout=0.2", "model.batch_norm=true"]
MORE = ["trainer.max_epochs=9", "trainer.patience=1", "trainer.min_delta=0.2"]


def run(*words: str) -> RunFolder:
    return run_job(composed(*WORDS, *words)).folder


def assert_same_weights(one: RunFolder, other: RunFolder) -> None:
    first, second = load(one.weights), load(other.weights)
    np.testing.assert_array_equal(first.params, second.params)
    np.testing.assert_array_equal(first.state, second.state)


@pytest.mark.parametrize("word", ["augment=affine", "data.scale=standardize"])
def test_is_the_training_that_had_all_rows_and_as_many_epochs_from_the_outset(word: str):
    refitted = run(*MORE, "refit=true", word)
    record = read_run(refitted)
    epochs = int(record.metrics["epoch"])
    assert 1 < epochs <= record.epochs < 9
    assert "val/loss" in record.metrics
    assert record.refit.epochs == epochs
    assert 0 < record.refit.seconds < record.seconds
    other = run(f"trainer.max_epochs={epochs}", "data.validation=none", word)
    assert_same_weights(refitted, other)
    assert record.test.metrics == read_run(other).test.metrics
    assert read_run(other).refit is None


def ctrl_c() -> None:
    raise KeyboardInterrupt


def sigterm() -> None:
    os.kill(os.getpid(), signal.SIGTERM)


@pytest.mark.parametrize(
    ("interrupt", "reason"), [(ctrl_c, "has not improved"), (sigterm, "SIGTERM")]
)
def test_goes_on_to_the_same_bits_after_an_interruption(
    interrupt: Callable[[], None], reason: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("mlp.training.checkpoint.MAX_SHARE", 1e9)
    undisturbed = run(*MORE, "refit=true")

    class Killer(EpochLimit):
        def after_epoch(self, event: EpochEnded) -> str | None:
            if event.epoch == 2:
                interrupt()
            return super().after_epoch(event)

    words = [*WORDS, *MORE, "refit=true", "trainer.checkpoint_every=1e-9"]
    with monkeypatch.context() as patch:
        patch.setattr("mlp.jobs.refit.EpochLimit", Killer)
        with suppress(KeyboardInterrupt):
            run_job(composed(*words))
    [interrupted] = [folder for folder in list_runs() if read_run(folder).status == "KILLED"]
    killed = read_run(interrupted)
    assert reason in killed.stop_reason
    assert killed.refit is None
    assert_same_weights(interrupted, run(*MORE))  # those of the first training
    assert run_job(composed(*words), resume=interrupted).record.status == "FINISHED"
    assert read_run(interrupted).refit.epochs == read_run(undisturbed).refit.epochs
    assert "continued after epoch" in interrupted.log.read_text()
    assert_same_weights(interrupted, undisturbed)


@pytest.mark.parametrize(
    ("word", "sentence"),
    [
        ("data.validation=none", "refit trains on the validation rows too, and data.validation"),
        ("schedule=reduce_on_plateau", "refit has no metric for schedule=reduce_on_plateau"),
    ],
)
def test_what_it_cannot_do_is_refused(word: str, sentence: str):
    with pytest.raises(ConfigError, match=sentence):
        run("refit=true", word)
