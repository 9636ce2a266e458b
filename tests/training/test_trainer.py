"""The training loop: what it learns, when it stops, what it keeps."""

import numpy as np
import pytest

from mlp.nn import SGD, Adam, Constant, Linear, ReduceOnPlateau
from mlp.training import Evaluator, StopCondition


class StopAfter(StopCondition):
    """Ends a training after so many steps, or epochs."""

    def __init__(self, steps=None, epochs=None):
        self.steps, self.epochs = steps, epochs

    def after_step(self):
        if self.steps is not None:
            self.steps -= 1
            return "enough steps" if self.steps == 0 else None

    def after_epoch(self, event):
        return "enough epochs" if event.epoch == self.epochs else None


class Snapshots(dict):
    """A listener that copies the parameters, by epoch; 0 are the initial ones."""

    def __call__(self, event):
        if hasattr(event, "network"):
            self.network = event.network
            self[0] = event.network.params.copy()
        elif hasattr(event, "epoch"):
            self[event.epoch] = self.network.params.copy()


class RecordedSGD(SGD):
    """Keeps the learning rate of each step in ``rates``."""

    def bind(self, *args):
        super().bind(*args)
        self.rates = []

    def step(self, lr, epoch):
        self.rates.append(lr)
        super().step(lr, epoch)


def column(outcome, metric):
    return [row[metric] for row in outcome.history]


class TestLearning:
    """The loop makes progress, and its figures are what they are called."""

    def test_learns(self, fit):
        """The training loss falls, the validation accuracy is far above chance."""
        outcome = fit(max_epochs=20)
        losses = column(outcome, "train/loss")
        assert losses[-1] < 0.6 * losses[0]
        assert outcome.best["val/accuracy"] > 0.7

    def test_metrics_of_an_epoch(self, fit):
        """All of them, every epoch; the penalty only where there is one."""
        names = {"epoch", "train/loss", "train/accuracy", "val/loss", "val/accuracy"}
        names |= {"lr", "grad_norm", "seconds", "examples_per_second"}
        assert all(set(row) == names for row in fit().history)

    def test_penalty(self, fit, make_network):
        """It is reported apart, as at the epoch's end, and is not in the loss."""
        network = make_network(l1=1e-3, l2=1e-2)
        outcome = fit(network, max_epochs=1)
        assert outcome.history[0]["train/penalty"] == network.penalty() > 0

    def test_train_loss(self, fit, make_network, make_parts):
        """The mean over all examples, as trained: with a tiny rate, the network's own loss.

        The last batch is shorter, and counts by its examples.
        """
        network, parts = make_network(), make_parts(n_train=61)
        expected = Evaluator(network, parts.train, 61)()
        [row] = fit(network, SGD(1e-12), parts=parts, max_epochs=1).history
        np.testing.assert_allclose(row["train/loss"], expected.loss, rtol=1e-5)
        assert row["train/accuracy"] == expected.metrics["accuracy"]

    def test_step_by_hand(self, fit, make_network, make_parts):
        """One batch of all examples, one step: p − lr·g."""
        network, parts = make_network(dtype="float64"), make_parts()
        x, y = parts.train.x[:60].astype(float), parts.train.y[:60]
        ws = network.workspace(60)
        network.loss_and_gradients(x, y, ws, np.random.default_rng(0))
        expected = network.params - 0.1 * network.grads
        norm = np.linalg.norm(network.grads)
        [row] = fit(network, SGD(0.1), parts=parts, max_epochs=1, batch_size=60).history
        np.testing.assert_allclose(network.params, expected, rtol=1e-10)
        np.testing.assert_allclose(row["grad_norm"], norm)

    def test_mean_gradient_norm(self, fit, make_network, make_parts):
        """The mean over the steps: SGD moves by lr·norm at each."""
        network, lengths = make_network(dtype="float64"), []

        class Measured(SGD):
            def step(self, lr, epoch):
                before = network.params.copy()
                super().step(lr, epoch)
                lengths.append(np.linalg.norm(network.params - before) / lr)

        [row] = fit(network, Measured(0.1), parts=make_parts(), max_epochs=1).history
        assert len(lengths) > 1
        np.testing.assert_allclose(row["grad_norm"], np.mean(lengths))

    def test_last_batch_of_one_row_with_batch_norm(self, fit, make_network, make_parts):
        """33 examples in batches of 16: the run goes through, with finite figures."""
        outcome = fit(make_network(batch_norm=True, dropout=0.2), parts=make_parts(33))
        assert np.isfinite(column(outcome, "val/loss")).all()

    @pytest.mark.parametrize(("batch_size", "steps"), [(16, 3), (20, 3), (100, 1)])
    def test_drop_last(self, fit, make_parts, batch_size, steps):
        """A short last batch is left out, unless it is the only one."""
        started = []
        fit(parts=make_parts(60), batch_size=batch_size, drop_last=True, listeners=[started.append])
        assert started[0].steps_per_epoch == steps

    def test_clip_norm(self, fit, make_network):
        """A plain step is then never longer than lr·clip_norm; the norm before is reported."""
        snapshots = Snapshots()
        outcome = fit(make_network(), SGD(0.5), listeners=[snapshots], batch_size=60, clip_norm=0.1)
        for epoch in range(1, 6):
            length = np.linalg.norm(snapshots[epoch] - snapshots[epoch - 1])
            np.testing.assert_allclose(length, 0.05, rtol=1e-4)
        assert min(column(outcome, "grad_norm")) > 0.1

    def test_max_norm(self, fit, make_network):
        """The constraint holds for the weights that are kept."""
        network = make_network(max_norm=0.5)
        fit(network, SGD(1.0))
        for name, array in network.named_arrays():
            if name.startswith("W"):
                assert np.linalg.norm(array, axis=0).max() <= 0.5 * (1 + 1e-6)


class TestSchedule:
    """The learning rate of each step is the optimizer's, times the schedule's factor."""

    def test_by_step(self, fit):
        """Time is counted in epochs, with fractions: 4 steps an epoch, 2 epochs."""
        optimizer = RecordedSGD(0.8)
        outcome = fit(optimizer=optimizer, schedule=Linear(), max_epochs=2)
        np.testing.assert_allclose(optimizer.rates, [0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1])
        np.testing.assert_allclose(column(outcome, "lr"), [0.5, 0.1])

    def test_own_horizon(self, fit):
        """A schedule with a horizon does not stretch with max_epochs."""
        outcome = fit(optimizer=SGD(0.8), schedule=Linear(final=0.5, horizon=1.0), max_epochs=3)
        np.testing.assert_allclose(column(outcome, "lr"), [0.5, 0.4, 0.4])

    @pytest.mark.parametrize("metric", ["val/loss", "val/accuracy"])
    def test_observes(self, fit, metric):
        """After each epoch it is told the monitored metric and its direction."""
        told = []

        class Observing(Constant):
            def observe(self, value, higher_is_better):
                told.append((value, higher_is_better))

        outcome = fit(schedule=Observing(), monitor=metric)
        assert told == [(value, metric == "val/accuracy") for value in column(outcome, metric)]

    def test_reduce_on_plateau(self, fit):
        """Without improvements it lowers the rate from epoch to epoch."""
        outcome = fit(
            optimizer=SGD(1e-12),
            schedule=ReduceOnPlateau(gamma=0.5, patience=1, min_delta=0.1),
            monitor="val/accuracy",
        )
        np.testing.assert_allclose(column(outcome, "lr"), 1e-12 * 0.5 ** np.array([0, 0, 1, 2, 3]))


class TestStopping:
    """Why a training ended."""

    def test_max_epochs(self, fit):
        """At the latest then."""
        outcome = fit(max_epochs=3)
        assert (outcome.epochs, len(outcome.history)) == (3, 3)
        assert outcome.stop_reason == "max_epochs=3 reached"

    def test_patience(self, fit):
        """A network that does not learn stops after 1 + patience epochs."""
        outcome = fit(optimizer=SGD(1e-12), max_epochs=50, patience=3, min_delta=0.01)
        assert outcome.epochs == 4
        assert outcome.stop_reason == "val/loss has not improved by 0.01 for 3 epochs"

    def test_max_seconds(self, fit):
        """The epoch in which the time runs out is completed."""
        outcome = fit(max_epochs=50, max_seconds=1e-6)
        assert outcome.epochs == 1
        assert outcome.stop_reason == "max_seconds=1e-06 reached"
        assert outcome.seconds >= outcome.history[0]["seconds"]

    def test_after_an_epoch(self, fit):
        """A condition from outside, asked after each epoch."""
        outcome = fit(stops=[StopAfter(epochs=2)])
        assert (outcome.stop_reason, outcome.epochs) == ("enough epochs", 2)

    def test_after_a_step(self, fit, make_network):
        """The epoch under way is given up: the best complete one is what remains."""
        network, snapshots = make_network(), Snapshots()
        outcome = fit(network, stops=[StopAfter(steps=4 + 2)], listeners=[snapshots])
        assert (outcome.stop_reason, outcome.epochs, outcome.best_epoch) == ("enough steps", 1, 1)
        np.testing.assert_array_equal(network.params, snapshots[1])

    def test_in_the_first_epoch(self, fit, make_network):
        """Nothing was completed: the initial parameters remain, and no epoch is best."""
        network = make_network(batch_norm=True)
        before = network.params.copy(), network.state.copy()
        outcome = fit(network, stops=[StopAfter(steps=2)])
        assert (outcome.epochs, outcome.best_epoch, outcome.best) == (0, 0, {})
        np.testing.assert_array_equal(network.params, before[0])
        np.testing.assert_array_equal(network.state, before[1])


class TestBest:
    """The best epoch's parameters are what a training leaves."""

    @pytest.mark.parametrize(
        ("monitor", "best"), [("val/loss", min), ("val/accuracy", max), ("train/loss", min)]
    )
    def test_restored(self, fit, make_network, monitor, best):
        """Bit by bit; the first of equals, and a large rate makes the last not the best."""
        network, snapshots = make_network(), Snapshots()
        outcome = fit(
            network, Adam(0.3), monitor=monitor, max_epochs=15, patience=15, listeners=[snapshots]
        )
        values = column(outcome, monitor)
        assert outcome.best_epoch == 1 + values.index(best(values)) < 15
        assert outcome.best == outcome.history[outcome.best_epoch - 1]
        np.testing.assert_array_equal(network.params, snapshots[outcome.best_epoch])

    @pytest.mark.parametrize("prefer_later", [False, True])
    def test_of_equals(self, fit, make_network, prefer_later):
        """The first of equally good epochs is the best, or the last if that is preferred."""
        network, snapshots = make_network(), Snapshots()
        outcome = fit(
            network,
            Adam(0.02),
            monitor="val/accuracy",
            max_epochs=15,
            prefer_later=prefer_later,
            listeners=[snapshots],
        )
        values = column(outcome, "val/accuracy")
        best = [epoch for epoch, value in enumerate(values, 1) if value == max(values)]
        assert len(best) > 1
        assert outcome.best_epoch == best[-1 if prefer_later else 0]
        np.testing.assert_array_equal(network.params, snapshots[outcome.best_epoch])

    def test_with_running_statistics(self, fit, make_network, make_parts):
        """The restored network gives the best epoch's validation loss to the last bit."""
        network, parts = make_network(batch_norm=True), make_parts()
        outcome = fit(network, Adam(0.3), parts=parts, max_epochs=10)
        assert outcome.best_epoch < outcome.epochs
        assert Evaluator(network, parts.val, 1000)().loss == outcome.best["val/loss"]

    def test_without_validation(self, fit, make_network, make_parts):
        """All epochs are taken, and the last is kept."""
        network, snapshots = make_network(), Snapshots()
        outcome = fit(
            network, Adam(0.3), parts=make_parts(n_val=0), patience=1, listeners=[snapshots]
        )
        assert (outcome.epochs, outcome.best_epoch) == (5, 5)
        assert not any(name.startswith("val/") for name in outcome.history[0])
        np.testing.assert_array_equal(network.params, snapshots[5])

    def test_training_loss_without_validation(self, fit, make_parts):
        """A metric of the training can be monitored then."""
        outcome = fit(
            optimizer=SGD(1e-12),
            parts=make_parts(n_val=0),
            monitor="train/loss",
            patience=2,
            min_delta=0.01,
        )
        assert outcome.epochs == 3


class TestDebugging:
    """Settings that make a run short, or its problem easy."""

    def test_limit_batches(self, fit):
        """An epoch is over after so many steps, and a schedule takes it for a whole one."""
        optimizer = RecordedSGD(0.8)
        fit(optimizer=optimizer, schedule=Linear(), max_epochs=2, limit_batches=2)
        np.testing.assert_allclose(optimizer.rates, [0.8, 0.6, 0.4, 0.2])

    def test_limit_batches_of_validation(self, fit, make_parts):
        """The validation is cut likewise."""
        started = []
        fit(
            parts=make_parts(60, 20),
            limit_batches=2,
            eval_batch_size=8,
            listeners=[started.append],
        )
        assert (started[0].steps_per_epoch, started[0].n_val) == (2, 16)

    def test_more_than_there_are(self, fit):
        """A limit beyond the epoch's length changes nothing."""
        assert column(fit(limit_batches=100), "val/loss") == column(fit(), "val/loss")

    def test_overfit_batches(self, fit):
        """Trained and validated on the same examples, a network overfits them."""
        started = []
        outcome = fit(
            optimizer=Adam(0.03),
            overfit_batches=1,
            max_epochs=200,
            patience=200,
            listeners=[started.append],
        )
        assert (started[0].n_train, started[0].n_val) == (16, 16)
        assert outcome.best["val/accuracy"] == 1
        assert outcome.best["val/loss"] < 0.01
