"""A small problem that a small network learns in a few epochs: three Gaussian clouds."""

import numpy as np
import pytest

from mlp.data import Part, Parts, Scaler
from mlp.nn import MLP, SGD, Constant, SoftmaxCrossEntropy
from mlp.training import Trainer


@pytest.fixture
def make_parts():
    """Return a function that makes ``n_train`` and ``n_val`` examples of four features."""

    def make(n_train=60, n_val=20):
        rng = np.random.default_rng(0)
        y = rng.integers(0, 3, n_train + n_val)
        x = (2 * np.eye(3, 4)[y] + rng.standard_normal((len(y), 4))).astype("float32")
        scaler = Scaler(np.zeros(4, "float32"), np.ones(4, "float32"))
        rows = np.arange(len(y))
        train, val = (Part(x, y, r, scaler) for r in (rows[:n_train], rows[n_train:]))
        return Parts(train, val if n_val else None, None, scaler)

    return make


@pytest.fixture
def make_network():
    """Return a function that builds a network for those examples; keywords as of MLP."""

    def make(hidden_sizes=(8,), loss=None, **options):
        rng = np.random.default_rng(1)
        return MLP(hidden_sizes, **options).build(4, 3, loss or SoftmaxCrossEntropy(), rng)

    return make


@pytest.fixture
def fit(make_parts, make_network):
    """Return a function that trains; unless told otherwise, for 5 epochs of 60 examples."""

    def fit(
        network=None,
        optimizer=None,
        schedule=None,
        parts=None,
        seed=0,
        listeners=(),
        stops=(),
        checkpoints=None,
        **settings,
    ):
        return Trainer(**{"max_epochs": 5, "batch_size": 16} | settings).fit(
            network or make_network(),
            optimizer or SGD(0.1),
            schedule or Constant(),
            parts or make_parts(),
            seed,
            listeners,
            stops,
            checkpoints,
        )

    return fit
