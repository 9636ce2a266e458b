"""One training epoch against scikit-learn's MLPClassifier, the two timed in turn in one process.

    python bench/epoch_vs_sklearn.py FOLDER

MNIST's 60,000 training images, 784-128-64-10, relu, batches of 128, plain SGD, float32. FOLDER
holds the four IDX files; by default it is what MLP_MNIST_DIR names.

Our epoch is the trainer's: it shuffles, gathers bytes, scales them, and reports loss, accuracy and
the gradient's norm. scikit-learn's is a ``partial_fit``, which shuffles and reports the loss, on
images that were scaled beforehand; neither validates.
"""

import argparse
import os
from collections.abc import Callable
from itertools import count
from statistics import median
from time import perf_counter

import numpy as np
from sklearn.neural_network import MLPClassifier
from threadpoolctl import threadpool_info

from mlp.base import generator
from mlp.data import Dataset, Mnist
from mlp.nn import MLP, SGD, Constant, SoftmaxCrossEntropy
from mlp.training import Classification, Trainer
from mlp.training.epoch import EpochRunner

HIDDEN_SIZES, BATCH_SIZE, LR = (128, 64), 128, 0.1


def ours(dataset: Dataset, source: Mnist) -> Callable[[], object]:
    """Return a function that trains for one more epoch."""
    loss = SoftmaxCrossEntropy()
    network = MLP(HIDDEN_SIZES).build(dataset.n_in, dataset.n_classes, loss, generator(0, "init"))
    trainer = Trainer(max_epochs=1, batch_size=BATCH_SIZE)
    train = source.parts(dataset, seed=0).train
    run_epoch = EpochRunner(
        trainer, Classification(), network, SGD(LR), Constant(), train, None, seed=0
    )
    epochs = count(1)
    return lambda: run_epoch(next(epochs))


def theirs(dataset: Dataset) -> Callable[[], object]:
    """Return a function that trains for one more epoch."""
    x, y = dataset.x_train.astype(np.float32) / 255, np.array(dataset.y_train)
    model = MLPClassifier(
        HIDDEN_SIZES,
        solver="sgd",
        batch_size=BATCH_SIZE,
        learning_rate_init=LR,
        momentum=0,
        nesterovs_momentum=False,
        alpha=0,
        random_state=0,
    )
    return lambda: model.partial_fit(x, y, classes=np.arange(dataset.n_classes))


def seconds(function: Callable[[], object]) -> float:
    """Return how long a call takes."""
    begin = perf_counter()
    function()
    return perf_counter() - begin


def main() -> None:
    """Time pairs of epochs, ours and theirs, and print the median of their ratios."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", nargs="?", default=os.environ.get("MLP_MNIST_DIR"))
    parser.add_argument("--repeats", type=int, default=9, metavar="N")
    args = parser.parse_args()
    source = Mnist(dir=args.folder, validation="none")
    dataset = source.load()
    epochs = ours(dataset, source), theirs(dataset)
    pairs = [[seconds(epoch) for epoch in epochs] for _ in range(args.repeats + 1)][1:]  # warm-up
    own, other = (median(times) for times in zip(*pairs, strict=True))
    threads = max(p["num_threads"] for p in threadpool_info() if p["user_api"] == "blas")
    print(f"ours {own:.3f} s, scikit-learn {other:.3f} s, an epoch (medians of {len(pairs)})")
    print(f"ratio {median(a / b for a, b in pairs):.2f} (median of pairs), BLAS threads {threads}")


if __name__ == "__main__":
    main()
