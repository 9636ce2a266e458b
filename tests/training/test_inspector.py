"""Looks inside a network in training: they are true, and they change nothing."""

import json

import numpy as np
import pytest

from mlp.data import Part, Parts, Scaler
from mlp.nn import SGD, Adam, BinaryCrossEntropy, MeanSquaredError, Momentum, SoftmaxCrossEntropy
from mlp.training import Inspected, Inspection
from mlp.training.task_facts import chance_loss, distance


@pytest.fixture
def inspect(fit):
    """Return a function that trains with looks inside, and returns these."""

    def inspect(**options):
        seen = []

        def listen(event):
            if isinstance(event, Inspected):
                seen.append(event.inspection)

        fit(listeners=[listen], inspect=True, **options)
        return seen

    return inspect


@pytest.mark.parametrize("optimizer", [Adam, Momentum])
def test_the_training_does_not_notice(fit, make_network, optimizer):
    """Parameters and running statistics are the same bits with and without looks inside."""
    ends = []
    for inspect in (False, True):
        network = make_network(batch_norm=True, dropout=0.2, l2=1e-3, max_norm=1.0)
        fit(network, optimizer(), inspect=inspect, clip_norm=0.5)
        ends.append(network.params.tobytes() + network.state.tobytes())
    assert ends[0] == ends[1]


def test_the_epochs_looked_at_depend_on_the_size_of_the_data_alone(inspect):
    """Small data are looked at in growing gaps, and after the last epoch."""
    assert [look.epoch for look in inspect(max_epochs=11)] == [0, 1, 2, 4, 8, 11]


@pytest.mark.parametrize("clip_norm", [None, 0.05])
@pytest.mark.parametrize("optimizer", [lambda: SGD(0.3), Momentum, Adam])
def test_the_step_that_is_foretold_is_the_one_that_comes(
    inspect, make_network, optimizer, clip_norm
):
    """With all rows in one batch, the next epoch is the step that was computed for a copy."""
    weights = []
    for epochs in (2, 3):
        network = make_network(l2=0.1)
        looks = inspect(
            network=network,
            optimizer=optimizer(),
            max_epochs=epochs,
            batch_size=60,
            monitor="train/loss",
            prefer_later=True,
            patience=None,
            clip_norm=clip_norm,
        )
        weights.append(network.layers[0].W.copy())
    foretold = looks[2].layers[0]  # after epoch 2
    step = np.sqrt(np.mean(np.square(weights[1] - weights[0])))
    assert foretold.update_rms == pytest.approx(step, rel=1e-4)
    assert foretold.weight_rms == pytest.approx(np.sqrt(np.mean(weights[0] ** 2)))


@pytest.mark.parametrize("activation", ["relu", "sigmoid", "tanh"])
def test_units_without_slope_are_counted(inspect, make_network, activation):
    """Two of eight units are far on the flat side."""
    network = make_network(activation=activation)
    network.layers[0].b[:2] = -100
    first = inspect(network=network)[0].layers[0]
    assert (first.activation, first.dead, first.n_units) == (activation, 0.25, 8)
    assert sum(first.counts) > 0
    assert first.low <= first.high


def test_equal_units_have_no_spread(inspect, make_network):
    """All units of the first layer begin with zeros, or with the same weights."""
    network = make_network(weight_init="zeros")
    assert inspect(network=network)[0].layers[0].spread == 0
    network = make_network()
    network.layers[0].W[:] = network.layers[0].W[:, :1]
    assert inspect(network=network)[0].layers[0].spread < 1e-3
    assert inspect()[0].layers[0].spread > 0.5


def test_a_look_is_stored_as_json(inspect):
    """It reads back as it was."""
    for look in inspect():
        text = json.dumps(look.as_dict())
        assert json.dumps(Inspection.of(json.loads(text)).as_dict()) == text


@pytest.mark.parametrize(
    ("loss", "n_out", "labels", "expected"),
    [
        (SoftmaxCrossEntropy(), 4, [0, 1, 2, 3], np.log(4)),
        (SoftmaxCrossEntropy(), 4, [0, 0, 1, 1], np.log(2)),
        (BinaryCrossEntropy(), 1, [0, 1], np.log(2)),
        (MeanSquaredError(low=-1), 2, [0, 1], 1.0),
        (MeanSquaredError("identity"), 1, [[0.0], [2.0]], 0.5),
    ],
)
def test_the_loss_of_the_best_constant_answer(loss, n_out, labels, expected):
    """The entropy of the classes, or half the variance of the targets."""
    assert chance_loss(loss, n_out, np.array(labels)) == pytest.approx(expected)


def test_no_constant_answer_has_a_lower_loss():
    """Label smoothing and class weights included, over a grid of answers."""
    loss = SoftmaxCrossEntropy(label_smoothing=0.2, class_weights=[1.0, 3.0])
    y = np.array([0, 0, 0, 1, 1])
    ws = loss.buffers(5, 2, np.float64)
    loss.set_targets(y, ws)
    losses = [loss.forward(np.full((5, 2), [0, z]), ws) for z in np.linspace(-3, 3, 601)]
    assert chance_loss(loss, 2, y) == pytest.approx(min(losses), abs=1e-4)


def test_the_distance_of_two_samples():
    """Of one distribution about 1 in squared standard errors; a shift is told in deviations."""
    rng = np.random.default_rng(0)
    x, other = rng.standard_normal((2, 256, 30))
    assert distance(x, other)[1] == pytest.approx(1, abs=0.5)
    shift, z2 = distance(x, other + 1)
    assert 0.7 < shift < 1.3
    assert z2 > 50


def test_facts_about_the_task(inspect):
    """They come with the first look."""
    scaler = Scaler(np.zeros(4, "float32"), np.ones(4, "float32"))
    x = np.full((60, 4), 3, "float32")
    part = Part(x, np.arange(60) % 3, None, scaler)
    first, second, *_ = inspect(parts=Parts(part, part.head(30), None, scaler))
    assert second.facts is None
    assert first.facts.input_rms == pytest.approx(3)
    assert (first.facts.shift, first.facts.outputs, first.facts.targets) == (0, (0, 1), (0, 1))
    assert first.facts.chance_loss == pytest.approx(np.log(3))


def test_a_handful_of_validation_rows_is_not_told_from_the_training_rows(inspect, make_parts):
    """Chance makes a few rows look like another distribution."""
    assert inspect(parts=make_parts(60, 9))[0].facts.shift is None
    assert inspect(parts=make_parts(60, 10))[0].facts.shift > 0
