"""One epoch: its randomness is keyed by seed and epoch, so that it can be replayed alone."""

import numpy as np
import pytest

from mlp.data import Affine, AffineElastic
from mlp.nn import SGD, Constant
from mlp.training import Classification, Trainer
from mlp.training.epoch import EpochRunner


@pytest.fixture
def after(make_network, make_parts):
    """Return a function: the parameters after some epochs from given ones, and from no history."""

    def after(epochs, seed=0, params=None, n_train=60, batch_size=16, augment=None, **options):
        network = make_network(**options)
        if params is not None:
            network.params[:] = params
        trainer = Trainer(max_epochs=10, batch_size=batch_size)
        train = make_parts(n_train).train
        run_epoch = EpochRunner(
            trainer, Classification(), network, SGD(0.1), Constant(), train, None, seed, (), augment
        )
        for epoch in epochs:
            run_epoch(epoch)
        return network.params

    return after


def test_an_epoch_can_be_replayed(after):
    """From the same parameters, in a fresh process say, the second epoch gives the same bits."""
    random = {"dropout": 0.5, "augment": AffineElastic().of_rows((2, 2))}
    together = after([1, 2], **random)
    alone = after([2], params=after([1], **random), **random)
    np.testing.assert_array_equal(alone, together)


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"n_train": 1, "batch_size": 1, "dropout": 0.5},
        {"n_train": 1, "batch_size": 1, "augment": Affine().of_rows((2, 2))},
    ],
    ids=["order of the examples", "masks of dropout", "augmentation"],
)
def test_seed_and_epoch_matter(after, settings):
    """Each seed and each epoch has an order, masks and distortions of its own."""
    results = [after([1], **settings), after([2], **settings), after([1], seed=1, **settings)]
    for i in range(3):
        assert not np.allclose(results[i], results[i - 1], rtol=1e-3)


def test_nothing_else_is_random(after):
    """A batch of all examples has no order that matters, but for rounding."""
    first, second = (after([epoch], batch_size=60) for epoch in (1, 2))
    np.testing.assert_allclose(first, second, rtol=1e-4, atol=1e-6)
