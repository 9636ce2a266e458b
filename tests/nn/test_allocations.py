"""A training step allocates nothing of the size of a batch or of the parameters."""

import tracemalloc

import numpy as np
import pytest

from mlp.data import AffineElastic, Part, Scaler
from mlp.nn import (
    MLP,
    SGD,
    Adagrad,
    Adam,
    AdamW,
    BinaryCrossEntropy,
    Constant,
    MeanSquaredError,
    Momentum,
    NAdam,
    Nesterov,
    RMSprop,
    SoftmaxCrossEntropy,
)
from mlp.nn.activations import ACTIVATIONS
from mlp.training import Classification, Trainer
from mlp.training.epoch import EpochRunner

# So wide that NumPy's own buffers, 32 KB at any size of the operands, do not count.
WIDTH, BATCH, SHORT = 256, 1024, 90
LIMIT = 0.05 * BATCH * WIDTH * np.dtype("float32").itemsize  # of the smallest batch buffer


def peak_of_an_epoch(model, loss, optimizer, augment=None):
    """Return the most bytes allocated at once in an epoch of two batches, one of them short."""
    rng = np.random.default_rng(0)
    n = BATCH + SHORT
    scaler = Scaler(np.zeros(WIDTH, "float32"), np.full(WIDTH, 1 / 255, "float32"))
    x, y = rng.integers(0, 256, (n, WIDTH), "uint8"), rng.integers(0, WIDTH, n)
    trainer = Trainer(max_epochs=2, batch_size=BATCH, clip_norm=0.1)
    network, train = model.build(WIDTH, WIDTH, loss, rng), Part(x, y, None, scaler)
    run_epoch = EpochRunner(
        trainer, Classification(), network, optimizer, Constant(), train, None, 0, augment=augment
    )
    run_epoch(1)  # views of the short batch are made once, here
    tracemalloc.start()
    try:
        run_epoch(2)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    "optimizer", [SGD, Momentum, Nesterov, Adagrad, RMSprop, Adam, AdamW, NAdam]
)
@pytest.mark.parametrize("batch_norm", [False, True])
def test_optimizers(optimizer, batch_norm):
    """With everything that a step can include switched on."""
    model = MLP(
        [WIDTH, WIDTH],
        batch_norm=batch_norm,
        dropout=0.2,
        input_dropout=0.1,
        l1=1e-5,
        l2=1e-4,
        max_norm=2.0,
    )
    assert peak_of_an_epoch(model, SoftmaxCrossEntropy(), optimizer()) < LIMIT


def test_activations():
    """One hidden layer of each."""
    names = [*ACTIVATIONS, "maxout:2"]
    model = MLP([WIDTH] * len(names), names, "lecun_normal", input_scale=True)
    assert peak_of_an_epoch(model, SoftmaxCrossEntropy(), SGD()) < LIMIT


@pytest.mark.parametrize(
    "loss",
    [
        BinaryCrossEntropy(),
        SoftmaxCrossEntropy(label_smoothing=0.1, class_weights=[1.0] * WIDTH),
        *map(MeanSquaredError, ("identity", "sigmoid", "tanh")),
    ],
    ids=lambda loss: type(loss).__name__,
)
def test_losses(loss):
    """On a linear model."""
    assert peak_of_an_epoch(MLP([]), loss, SGD()) < LIMIT


def test_augmentation():
    """Of 16 x 16 pixels, with a displacement for each."""
    augment = AffineElastic().of_rows((16, 16))
    assert peak_of_an_epoch(MLP([]), SoftmaxCrossEntropy(), SGD(), augment) < LIMIT
