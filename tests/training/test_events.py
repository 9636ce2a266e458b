"""Listeners: told in order, and not fatal when they fail."""

import logging

import pytest

from mlp.training import Callback, EpochEnded, RunEnded, RunStarted


def failing(event):
    raise RuntimeError("disk full")


def test_order(fit):
    """The start, each epoch, the end."""
    events = []
    fit(listeners=[events.append], max_epochs=3)
    assert [type(event) for event in events] == [RunStarted, *[EpochEnded] * 3, RunEnded]
    assert [event.epoch for event in events[1:-1]] == [1, 2, 3]


def test_start(fit, make_network, make_parts):
    """What is about to be trained, on how much data."""
    events, network = [], make_network()
    fit(network, parts=make_parts(60, 20), listeners=[events.append], batch_size=16, patience=7)
    start = events[0]
    assert start.network is network
    assert (start.n_train, start.n_val, start.steps_per_epoch, start.max_epochs) == (60, 20, 4, 5)
    assert (start.monitor, start.patience) == ("val/loss", 7)


def test_start_without_validation(fit, make_parts):
    """Nothing to monitor, and no patience."""
    events = []
    fit(parts=make_parts(n_val=0), listeners=[events.append])
    assert (events[0].n_val, events[0].monitor, events[0].patience) == (0, None, None)


def test_epoch(fit):
    """Each epoch brings its metrics, and the best epoch so far."""
    events = []
    outcome = fit(listeners=[events.append])
    best = None
    for event, row in zip(events[1:-1], outcome.history, strict=True):
        assert row == {"epoch": event.epoch} | event.metrics
        best = min(best or row["val/loss"], row["val/loss"])
        assert event.best_value == best
        assert outcome.history[event.best_epoch - 1]["val/loss"] == best
    elapsed = [event.elapsed for event in events[1:-1]]
    assert elapsed == sorted(elapsed)


def test_end(fit, make_network):
    """The outcome, when the best parameters are in place already."""
    seen = []
    network = make_network()

    def listener(event):
        if isinstance(event, RunEnded):
            seen.append((event.outcome, network.params.copy()))

    outcome = fit(network, listeners=[listener])
    [(told, params)] = seen
    assert told is outcome
    assert (params == network.params).all()


def test_a_failing_listener_is_left_out(fit, caplog):
    """It is reported once with its traceback; the others and the training go on."""
    events = []
    with caplog.at_level(logging.ERROR):
        outcome = fit(listeners=[failing, events.append])
    assert outcome.epochs == 5
    assert len(events) == 7
    [record] = caplog.records
    assert "failing" in record.getMessage()
    assert "left out" in record.getMessage()
    assert "disk full" in caplog.text


def test_a_failing_callback_goes_by_its_class(fit, caplog):
    class Broken(Callback):
        def __call__(self, event):
            raise RuntimeError("no network")

    fit(listeners=[Broken()])
    assert caplog.messages == [
        "test_a_failing_callback_goes_by_its_class.<locals>.Broken failed and is left out from "
        "here on"
    ]


def test_an_interrupt_passes(fit):
    """What is no failure of the listener, such as Ctrl-C, is not swallowed."""

    def interrupted(event):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fit(listeners=[interrupted])
