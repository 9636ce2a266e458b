"""A run that begins with the weights of another one."""

import shutil
from collections.abc import Callable

import pytest

from mlp.base import RunError, remove
from mlp.jobs import evaluate_run, resume_run
from mlp.runs import read_run
from mlp.runs.find import list_runs
from tests.conftest import Said
from tests.jobs.interruptions import QUICK, assert_same, finished, interrupted, weights

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.usefixtures("without_figures", "checkpoint_each_epoch"),
]

Command = Callable[..., Said]


@pytest.mark.parametrize(("seed", "is_said"), [(0, False), (1, True)])
def test_another_split_of_the_same_data_is_said(
    caplog: pytest.LogCaptureFixture, seed: int, is_said: bool
):
    first = finished("trainer.max_epochs=1")
    finished("trainer.max_epochs=1", f"init_from={first.path.name}", f"seed={seed}")
    assert ("was trained with another split" in caplog.text) == is_said


def test_begins_with_the_weights_of_another():
    """As the training that those two are together, where the optimizer has no memory."""
    words = ["optimizer=sgd", "trainer.patience=null"]
    finished(*words, "trainer.max_epochs=2", "name=base")
    source = list_runs()[-1]
    tuned = finished(*words, "init_from=base", "optimizer.lr=1e-30", "trainer.max_epochs=1")
    assert weights(tuned) == weights(source)
    record = read_run(tuned)
    assert record.init_from == source.path.name
    assert f"init_from: {source.path.name}" in tuned.config.read_text()


def test_interrupted_it_goes_on():
    base = finished("trainer.max_epochs=2").path.name
    folder = interrupted(f"init_from={base}")
    resume_run(folder.path.name)
    assert_same(folder, finished(f"init_from={base}"))


def test_it_goes_on_when_the_other_is_gone():
    base = finished("trainer.max_epochs=2")
    whole = finished(f"init_from={base.path.name}")
    folder = interrupted(f"init_from={base.path.name}")
    shutil.rmtree(base.path)
    resume_run(folder.path.name)
    assert_same(folder, whole)


def test_a_link_among_the_others_weights_is_not_followed():
    base = finished("trainer.max_epochs=2")
    weights = base.weights / "W1.npy"
    weights.rename(base.weights / "W1.elsewhere")
    weights.symlink_to(base.weights / "W1.elsewhere")
    with pytest.raises(RunError, match=r"W1.npy is a symbolic link, and is not followed"):
        finished(f"init_from={base.path.name}")


@pytest.mark.parametrize("gone", [False, True])
def test_it_starts_over_from_the_other_or_not_at_all(gone: bool):
    """Random weights would be another training."""
    base = finished("trainer.max_epochs=2")
    whole = finished(f"init_from={base.path.name}")
    folder = interrupted(f"init_from={base.path.name}")
    for path in folder.checkpoints.glob("epoch-*/params.npy"):
        path.write_bytes(b"?")
    if gone:
        shutil.rmtree(base.path)
    result = resume_run(folder.path.name)
    if gone:
        assert (result.record.status, "init_from is gone" in result.record.stop_reason) == (
            "FAILED",
            True,
        )
    else:
        assert_same(folder, whole)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["model.hidden_sizes=[128,32]"], "W2 is (128, 64) in "),
        (["model.hidden_sizes=[128]"], "W2 is (128, 64) in "),
        (["model.batch_norm=true"], "gamma1"),
        (["init_from=nothing"], "no run is called 'nothing'"),
    ],
)
def test_another_shape_is_refused_by_name(mlp_run: Command, words: list[str], sentence: str):
    finished("trainer.max_epochs=1", "name=base")
    said = mlp_run(*QUICK, "init_from=base", *words)
    assert (said.status, len(list_runs())) == (2, 1)
    assert sentence in said.err


def test_evaluation_does_not_need_it():
    """A run's folder is enough."""
    remove_me = finished("trainer.max_epochs=1", "name=base")
    tuned = finished("init_from=base", "trainer.max_epochs=1")
    remove(remove_me.path)
    evaluate_run(tuned)
