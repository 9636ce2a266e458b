"""Which search is best? Samplers and pruners on the learning curves of LCBench.

    python bench/search.py LCBENCH                    # runs what is missing, then the tables
    python bench/search.py LCBENCH --part report      # one half of the tasks only

LCBENCH is the folder ``lcbench`` of https://github.com/slds-lmu/yahpo_data: a network (Pfisterer
et al. 2022, "YAHPO Gym") that was fitted to LCBench (Zimmer, Lindauer & Hutter 2021), 2,000
trainings of multilayer perceptrons on each of 34 OpenML data sets. It answers a training of 52
epochs within a millisecond, free of noise. It needs ``pip install onnxruntime``.

All that follows was written before the first search was run; today's default is that of 0.2.0.

Question
    Which sampler and which pruner find the best training for the same number of epochs, and do the
    defaults that these results suggest hold on other data sets?
Tasks
    The 34 data sets, ordered by their number. Those at even places (the first, the third, ...) are
    for choosing: whatever is compared in order to set a default is compared on them. Those at odd
    places report: today's default and the new one, and all methods of the first table, once.
Space
    LCBench's own: seven keys, with its ranges and logarithms.
Search
    `Study`, `TrialPruner` and `Space` as a sweep uses them, but for the journal, which is kept in
    memory; one trial at a time. A search may spend 20 times 52 epochs. The training under way when
    they are spent ends there and counts with what it has reached.
Methods
    Those of METHODS: random search, TPE with each key by itself or all jointly, pruned by the
    median (from epoch 5 on, after 10 whole trainings: today's default), by asynchronous halving at
    epochs 3, 9 and 27, or not at all; and Hyperband. Further ones, made from the better of
    these by one change at a time (fewer random trials, another first rung, the defaults of
    LCBench's space as the first trial), are in VARIANTS and see the tasks for choosing alone.
Repeats
    Seeds 0 to 9 for each task; all methods have the same seed then.
Metric
    Normalised regret of the best validation accuracy that the search has seen: 0 is the best
    known of the task, among 2,000 random trainings and all that any search here has found; 1 is the
    median of the random trainings. A table has the mean over tasks and seeds, its standard
    error over the tasks' means, and the p-value of a paired, two-sided Wilcoxon test of these
    against today's default.
Choice
    The least mean regret on the tasks for choosing; of methods within one standard error of their
    paired difference, the simpler. The aim is a regret of at most 0.75 of today's default on the
    tasks that report; the figure stands in docs/search-evidence.md, whatever it is.
"""

import argparse
import json
import os
import sys
import time
from collections.abc import Iterator, Mapping
from math import ceil
from pathlib import Path
from typing import Any

os.environ |= dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")

import numpy as np
import onnxruntime
import optuna
from optuna.samplers._tpe.sampler import default_gamma
from scipy.stats import wilcoxon

import mlp.sweep.search.pruning
import mlp.sweep.search.study
from mlp.config import Search
from mlp.sweep.search.pruning import TrialPruner
from mlp.sweep.search.space import Space, read_space
from mlp.sweep.search.study import Study
from mlp.training import EpochEnded

MAX_EPOCHS, N_TRAININGS, N_SEEDS, N_RANDOM = 52, 20, 10, 2_000
TODAY = "TPE per key, median"
MEDIAN: dict[str, Any] = {"pruner": "median", "warmup": 5, "n_startup": 10}
HALVING: dict[str, Any] = {"pruner": "halving", "warmup": 3, "n_startup": 10}
PER_KEY: dict[str, Any] = {"tpe": {"_gamma": default_gamma}}  # the best tenth is good
JOINTLY: dict[str, Any] = {"tpe": {"_gamma": default_gamma, "_multivariate": True}}
METHODS: dict[str, dict[str, Any]] = {
    "random": {"sampler": "random", "pruner": "none"},
    "random, median": {"sampler": "random"} | MEDIAN,
    "random, halving": {"sampler": "random"} | HALVING,
    "random, hyperband": {"sampler": "random", "pruner": "hyperband", "warmup": 3},
    "TPE per key": PER_KEY | {"pruner": "none"},
    TODAY: PER_KEY | MEDIAN,
    "TPE per key, halving": PER_KEY | HALVING,
    "TPE jointly, median": JOINTLY | MEDIAN,
    "TPE jointly, halving": JOINTLY | HALVING,
}
VARIANTS: dict[str, dict[str, Any]] = {
    "defaults first": PER_KEY | HALVING | {"defaults": True},
    "5 random": PER_KEY | HALVING | {"n_startup": 5},
    "20 random": PER_KEY | HALVING | {"n_startup": 20},
    "5 random, from epoch 1": PER_KEY | HALVING | {"n_startup": 5, "warmup": 1},
    "5 random, median": PER_KEY | MEDIAN | {"n_startup": 5},
    "CMA-ES": HALVING | {"sampler": "cmaes"},
    "a quarter good": HALVING | {"tpe": {"_gamma": lambda n: ceil(n / 4)}},
    "√n / 4 good": HALVING,
    "√n / 4 good, jointly": HALVING | {"tpe": {"_multivariate": True}},
    "√n / 4 good, 5 random": HALVING | {"n_startup": 5},
    "√n / 4 good, defaults first": HALVING | {"defaults": True},
}
CHOSEN = "√n / 4 good"  # on the tasks for choosing, before any other result was looked at
COLUMNS = ("batch_size", "learning_rate", "momentum", "weight_decay")
COLUMNS += ("num_layers", "max_units", "max_dropout")


class Benchmark:
    """LCBench's surrogate: the validation accuracy of a training after each epoch.

    Parameters
    ----------
    folder : Path
        With ``model.onnx``, ``encoding.json`` and ``config_space.json``.
    """

    def __init__(self, folder: Path) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self._model = onnxruntime.InferenceSession(folder / "model.onnx", options)
        self._codes = json.loads((folder / "encoding.json").read_text())["OpenML_task_id"]
        described = json.loads((folder / "config_space.json").read_text())["hyperparameters"]
        by_name = {entry["name"]: entry for entry in described}
        self.tasks = sorted(by_name["OpenML_task_id"]["choices"], key=int)
        self.space = Space(read_space({key: _dimension(by_name[key]) for key in COLUMNS}))
        self.defaults = {key: by_name[key]["default"] for key in COLUMNS}

    def curves(self, task: str, points: list[dict[str, Any]]) -> np.ndarray:
        """Return the accuracies, an array of shape (n_points, n_epochs)."""
        rows = np.repeat([[point[key] for key in COLUMNS] for point in points], MAX_EPOCHS, axis=0)
        epochs = np.tile(np.arange(1.0, MAX_EPOCHS + 1), len(points))
        inputs = {
            "x_cat": np.full((len(rows), 1), self._codes[task], np.int32),
            "x_cont": np.column_stack([epochs, rows]).astype(np.float32),
        }
        (answer,) = self._model.run(None, inputs)
        accuracies: np.ndarray = answer[:, 1].reshape(len(points), MAX_EPOCHS)
        return accuracies

    def random_bests(self, task: str) -> np.ndarray:
        """Return the best accuracy of each of many random trainings."""
        random = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
        points = [self.space.suggest(random.ask()) for _ in range(N_RANDOM)]
        chunks = [points[i : i + 500] for i in range(0, N_RANDOM, 500)]
        return np.concatenate([self.curves(task, chunk).max(axis=1) for chunk in chunks])


def _dimension(entry: dict[str, Any]) -> dict[str, Any]:
    kind = "int" if entry["type"] == "uniform_int" else "float"
    return {"kind": kind, "low": entry["lower"], "high": entry["upper"], "log": entry["log"]}


class VariedStudy(Study):
    """A study whose TPE has other settings than a sweep's."""

    tpe: Mapping[str, Any]  # attributes of Optuna's sampler

    def _sampler(self, number: int) -> optuna.samplers.BaseSampler:
        sampler = super()._sampler(number)
        vars(sampler._base_sampler).update(self.tpe)  # type: ignore[attr-defined]
        return sampler


def search(benchmark: Benchmark, task: str, method: dict[str, Any], seed: int) -> dict[str, Any]:
    """Search until the budget is spent; return what was found, and how."""
    storage = optuna.storages.InMemoryStorage()
    for module in (mlp.sweep.search.study, mlp.sweep.search.pruning):
        module.open_journal = lambda _: storage  # type: ignore[attr-defined]
    settings = {key: value for key, value in method.items() if key not in ("tpe", "defaults")}
    # The seeds of different tasks differ; else all would begin with the same random trials.
    seed = 100 * benchmark.tasks.index(task) + seed
    study = VariedStudy(
        Path("memory"),
        Search(**settings, n_trials=10_000, seed=seed),
        benchmark.space,
        "val/accuracy",
        MAX_EPOCHS,
        benchmark.defaults if method.get("defaults") else None,
    )
    study.tpe = method.get("tpe", {})
    best, n_pruned, left = 0.0, 0, N_TRAININGS * MAX_EPOCHS
    bests = []  # after each whole training's worth of epochs
    while left:
        proposal = study.ask()
        assert proposal is not None
        pruner = None
        if settings["pruner"] != "none":
            pruner = TrialPruner(Path("memory"), proposal.number)
        reached = 0.0
        for epoch, accuracy in enumerate(benchmark.curves(task, [proposal.point])[0], start=1):
            reached, left = max(reached, float(accuracy)), left - 1
            best = max(best, reached)
            bests += [round(best, 5)] if left % MAX_EPOCHS == 0 else []
            event = EpochEnded(epoch, {}, epoch, reached, 0.0)
            if (pruner and pruner.after_epoch(event)) or not left:
                break
        pruned = pruner is not None and pruner.pruned
        study.tell(proposal.number, reached, pruned=pruned)
        n_pruned += pruned
    return {"bests": bests, "trials": proposal.number + 1, "pruned": n_pruned}


def run(benchmark: Benchmark, tasks: list[str], names: list[str], results: Path) -> None:
    """Run the searches that are not in the file, and add each when it is done."""
    done = {(row["task"], row["method"], row["seed"]) for row in read(results)}
    for seed in range(N_SEEDS):
        for task in tasks:
            for name in names:
                if (task, name, seed) in done:
                    continue
                begin = time.perf_counter()
                row = {"task": task, "method": name, "seed": seed}
                row |= search(benchmark, task, (METHODS | VARIANTS)[name], seed)
                row["seconds"] = round(time.perf_counter() - begin, 2)
                with results.open("a") as file:
                    file.write(json.dumps(row) + "\n")


def read(results: Path) -> Iterator[dict[str, Any]]:
    """Yield the searches that are in the file."""
    if results.exists():
        yield from map(json.loads, results.read_text().splitlines())


def table(benchmark: Benchmark, tasks: list[str], names: list[str], results: Path) -> list[str]:
    """Return the rows of a table of the methods, over the seeds that all of them have."""
    rows = [row for row in read(results) if row["task"] in tasks]
    found = {(row["task"], row["method"], row["seed"]): row for row in rows}
    seeds = [
        seed
        for seed in range(N_SEEDS)
        if all((task, name, seed) in found for task in tasks for name in names)
    ]
    regrets = {name: np.empty((len(tasks), len(seeds), N_TRAININGS)) for name in names}
    for i, task in enumerate(tasks):
        random = benchmark.random_bests(task)
        top = max(random.max(), *(row["bests"][-1] for row in rows if row["task"] == task))
        for name in names:
            bests = np.array([found[task, name, seed]["bests"] for seed in seeds])
            regrets[name][i] = (top - bests) / (top - np.median(random))
    lines = [
        f"{len(tasks)} tasks, {len(seeds)} seeds",
        "| method | regret | of today's | p | after 5 | after 10 | trials |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    today = regrets[TODAY][:, :, -1].mean(axis=1)
    for name, all_regrets in regrets.items():
        by_task = all_regrets[:, :, -1].mean(axis=1)
        p = "" if name == TODAY else f"{wilcoxon(by_task, today).pvalue:.2g}"
        early = [f"{all_regrets[:, :, n - 1].mean():.3f}" for n in (5, 10)]
        trials = np.mean([found[task, name, seed]["trials"] for task in tasks for seed in seeds])
        error = by_task.std(ddof=1) / len(tasks) ** 0.5
        cells = [name, f"{by_task.mean():.4f} ± {error:.4f}"]
        cells += [f"{by_task.mean() / today.mean():.2f}", p, *early, f"{trials:.0f}"]
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path, help="LCBench's surrogate")
    parser.add_argument("--part", choices=("choose", "report"), default="choose")
    parser.add_argument("--methods", nargs="*", default=[*METHODS, CHOSEN], help="by name")
    parser.add_argument("--results", type=Path, default=Path("search-bench.jsonl"))
    options = parser.parse_args()
    if not (options.folder / "model.onnx").exists():
        sys.exit(f"{options.folder} must be the folder of LCBench's surrogate, with model.onnx")
    benchmark = Benchmark(options.folder)
    tasks = benchmark.tasks[0 if options.part == "choose" else 1 :: 2]
    run(benchmark, tasks, options.methods, options.results)
    print(*table(benchmark, tasks, options.methods, options.results), sep="\n")


if __name__ == "__main__":
    main()
