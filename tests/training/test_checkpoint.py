"""A training that goes on from a checkpoint is the training that was never interrupted."""

import os

import numpy as np
import pytest

from mlp.nn import (
    SGD,
    Adagrad,
    Adam,
    AdamW,
    Constant,
    Cosine,
    Momentum,
    NAdam,
    Nesterov,
    ReduceOnPlateau,
    RMSprop,
)
from mlp.training import EpochEnded
from mlp.training.checkpoint import Checkpoints
from mlp.training.progress import Progress

TIMES = ("seconds", "examples_per_second")


class EveryEpoch(Checkpoints):
    """Writes a checkpoint whenever it can."""

    def __init__(self, folder):
        self.reports = []
        super().__init__(folder, every=0, report=self.reports.append)

    def offer(self, progress, last):
        self.write(progress)


@pytest.fixture
def run(fit, make_network):
    """Return a function that trains a new network; it returns the network and the outcome."""

    def run(make_optimizer=SGD, make_schedule=Cosine, options=None, **settings):
        network = make_network(**(options or {}))
        return network, fit(network, make_optimizer(), make_schedule(), **settings)

    return run


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "checkpoints"


def crash(run, folder, epochs, **settings):
    """Let a training die in the epoch after so many."""

    def die(event):
        if isinstance(event, EpochEnded) and event.epoch == epochs + 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(checkpoints=EveryEpoch(folder), listeners=[die], **settings)


def figures(outcome):
    """Return what an outcome says, but for the time it took."""
    history = [{k: v for k, v in row.items() if k not in TIMES} for row in outcome.history]
    return outcome.stop_reason, outcome.epochs, outcome.best_epoch, history


def assert_same(first, second):
    for one, other in (
        (first[0].params, second[0].params),
        (first[0].state, second[0].state),
    ):
        np.testing.assert_array_equal(one, other)
    assert figures(first[1]) == figures(second[1])


@pytest.mark.parametrize(
    "optimizer", [SGD, Momentum, Nesterov, Adagrad, RMSprop, Adam, AdamW, NAdam]
)
def test_every_optimizer(run, folder, optimizer):
    """With dropout and batch norm: the same bits and the same figures."""
    settings = {"make_optimizer": optimizer, "options": {"dropout": 0.3, "batch_norm": True}}
    crash(run, folder, 3, **settings)
    assert_same(run(checkpoints=EveryEpoch(folder), **settings), run(**settings))


@pytest.mark.parametrize("epochs", [1, 3, 5])
def test_patience_and_plateau(run, folder, epochs):
    """What stopping and the schedule have counted so far is counted on."""
    settings = {
        "make_optimizer": lambda: Adam(0.2),
        "make_schedule": lambda: ReduceOnPlateau(patience=2),
        "patience": 5,
        "max_epochs": 40,
    }
    uninterrupted = run(**settings)
    assert uninterrupted[1].stop_reason.startswith("val/loss has not improved")
    crash(run, folder, epochs, **settings)
    assert_same(run(checkpoints=EveryEpoch(folder), **settings), uninterrupted)


@pytest.mark.parametrize("settings", [{}, {"patience": 1, "make_optimizer": lambda: SGD(1e-12)}])
def test_died_after_the_last_epoch(run, folder, settings):
    """The training is over, then, and not an epoch longer."""
    uninterrupted = run(checkpoints=EveryEpoch(folder), **settings)
    assert_same(run(checkpoints=EveryEpoch(folder), **settings), uninterrupted)


def test_no_checkpoint(run, folder):
    """One starts at the beginning."""
    assert EveryEpoch(folder).stored() == []
    crash(run, folder, 0)
    assert_same(run(checkpoints=EveryEpoch(folder)), run())


def test_last_two_are_kept(run, folder):
    """Also with two digits; nothing half-written is left."""
    run(checkpoints=EveryEpoch(folder), max_epochs=11)
    assert {path.name for path in folder.iterdir()} == {"epoch-10", "epoch-11"}


def test_not_more_often_than_asked(run, folder):
    """``every`` seconds have to pass."""
    run(checkpoints=Checkpoints(folder, every=3600))
    assert not folder.exists()


@pytest.mark.parametrize(("since", "is_due"), [(9.9, False), (10.1, True)])
def test_one_percent_of_the_time_at_most(fit, make_network, folder, monkeypatch, since, is_due):
    """The last one took 0.1 s, so the next has to wait for 10 s."""
    clock = [0.0]
    monkeypatch.setattr("mlp.training.checkpoint.perf_counter", lambda: clock[0])
    checkpoints = Checkpoints(folder, every=1)
    network = make_network()
    progress = Progress(network, SGD(0.1), Constant(), [], None)
    progress.optimizer.bind(network.params, network.grads, network.n_decayed)

    def write(_):
        written.append(clock[0])
        clock[0] += 0.1

    written = []
    monkeypatch.setattr(checkpoints, "write", write)
    clock[0] = 2.0
    checkpoints.offer(progress, last=False)
    clock[0] += since
    checkpoints.offer(progress, last=False)
    assert len(written) == 1 + is_due


def test_none(run, folder):
    """``every=None`` makes none, and continues from what is there."""
    run(checkpoints=Checkpoints(folder, every=None))
    assert not folder.exists()
    crash(run, folder, 3)
    epochs = []
    run(checkpoints=Checkpoints(folder, every=None), listeners=[epochs.append])
    assert [event.epoch for event in epochs if isinstance(event, EpochEnded)] == [4, 5]


def test_kept(run, folder):
    """The last epoch's, from which a longer training goes on as if it had been meant so."""
    settings = {"make_optimizer": Adam, "make_schedule": Constant}
    run(checkpoints=Checkpoints(folder, every=None, keep=True), **settings)
    assert [path.name for path in folder.iterdir()] == ["epoch-5"]
    longer = {"max_epochs": 9, **settings}
    assert_same(run(checkpoints=Checkpoints(folder, every=None), **longer), run(**longer))


def test_longer_patience(run, folder):
    """A training that patience has ended goes on as if it had been longer all the time."""
    settings = {"make_optimizer": lambda: SGD(0.5), "max_epochs": 60}
    checkpoints = Checkpoints(folder, every=None, keep=True)
    short = run(checkpoints=checkpoints, patience=1, **settings)
    assert short[1].stop_reason.startswith("val/loss has not improved")
    longer = run(checkpoints=Checkpoints(folder, every=None), patience=4, **settings)
    assert longer[1].epochs > short[1].epochs
    assert_same(longer, run(patience=4, **settings))


def test_continued_training_tells_its_past(run, folder):
    """So that who listens can fill a gap."""
    crash(run, folder, 3)
    events = []
    _, outcome = run(checkpoints=EveryEpoch(folder), listeners=[events.append])
    assert list(events[0].history) == outcome.history[:3]


def test_full_disk(run, folder, monkeypatch):
    """The training goes on, what is there stays, and it is reported once."""
    crash(run, folder, 3)

    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    reports = []
    checkpoints = Checkpoints(folder, every=1e-9, report=reports.append)
    assert_same(run(checkpoints=checkpoints), run())
    [report] = reports
    assert "No space left on device" in report
    assert str(folder) in report
    assert {path.name for path in folder.iterdir()} == {"epoch-2", "epoch-3"}


def test_removed(run, folder):
    """Once the training is over, all can go."""
    checkpoints = EveryEpoch(folder)
    run(checkpoints=checkpoints)
    checkpoints.remove()
    assert not folder.exists()


def damage_array(folder):
    array = np.load(folder / "params.npy")
    array[0] += 1
    np.save(folder / "params.npy", array)


def damage_shape(folder):
    np.save(folder / "params.npy", np.zeros(3, "float32"))


def damage_numbers(folder):
    path = folder / "progress.json"
    path.write_text(path.read_text().replace('"best_epoch": ', '"best_epoch": 1'))


def truncate_numbers(folder):
    path = folder / "progress.json"
    path.write_bytes(path.read_bytes()[:100])


def delete_array(folder):
    (folder / "params.npy").unlink()


def delete_numbers(folder):
    (folder / "progress.json").unlink()


@pytest.mark.parametrize(
    "damage",
    [damage_array, damage_shape, damage_numbers, truncate_numbers, delete_array, delete_numbers],
)
def test_damaged(run, folder, damage):
    """It is named, the one before it is used, and the result is the same."""
    crash(run, folder, 3)
    damage(folder / "epoch-3")
    checkpoints = EveryEpoch(folder)
    assert_same(run(checkpoints=checkpoints), run())
    [message] = checkpoints.reports
    assert str(folder / "epoch-3") in message


def test_both_damaged(run, folder):
    """Nothing is trusted then, and nothing of them is left in the new training."""
    crash(run, folder, 3)
    for path in folder.iterdir():
        damage_array(path)
    checkpoints = EveryEpoch(folder)
    assert_same(run(checkpoints=checkpoints), run())
    *damaged, last = checkpoints.reports
    assert len(damaged) == 2
    assert last == "no checkpoint is sound: the training starts over"
