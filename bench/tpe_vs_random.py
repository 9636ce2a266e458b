"""TPE with pruning against random search, each with the same number of epochs to spend.

    python bench/tpe_vs_random.py

The question, the space and the rules are in docs/search-evidence.md; they were written before the
first trial was run, for the defaults of version 0.2.0. It takes some minutes on one core.
"""

import argparse
import os
import tempfile
import time
from pathlib import Path
from statistics import median

os.environ |= dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")

from mlp.base import generator
from mlp.config import Search, check, compose
from mlp.data import Dataset
from mlp.sweep.search.pruning import TrialPruner
from mlp.sweep.search.space import Space, read_space
from mlp.sweep.search.study import Study
from mlp.sweep.search.trials import overrides
from mlp.training import DivergedError, EpochEnded, Event, StopCondition

SPACE = {
    "optimizer": {"kind": "choice", "values": ["adam", "momentum"]},
    "optimizer.lr": {"kind": "float", "low": 1e-5, "high": 1.0, "log": True},
    "optimizer.momentum": {
        "kind": "float",
        "low": 0.5,
        "high": 0.99,
        "when": {"optimizer": "momentum"},
    },
    "model.hidden_sizes": {
        "kind": "choice",
        "values": [[32], [64], [128], [256], [64, 32], [128, 64], [256, 128]],
    },
    "model.activation": {"kind": "choice", "values": ["relu", "gelu", "tanh", "sigmoid"]},
    "model.dropout": {"kind": "float", "low": 0.0, "high": 0.6},
    "model.l2": {"kind": "float", "low": 1e-7, "high": 1e-2, "log": True},
    "trainer.batch_size": {"kind": "int", "low": 16, "high": 512, "log": True},
}
METRIC, MAX_EPOCHS, PATIENCE = "val/loss", 30, 5
METHODS = {
    "TPE, pruned": {},  # the defaults of a search
    "random": {"sampler": "random", "pruner": "none"},
}


class Budget(StopCondition):
    """So many epochs for all trials together; a listener that counts, a condition that stops."""

    def __init__(self, n_epochs: int) -> None:
        self.n_epochs, self.used = n_epochs, 0

    def __call__(self, event: Event) -> None:
        self.used += isinstance(event, EpochEnded)

    def after_epoch(self, event: EpochEnded) -> str | None:
        return "the budget is spent" if self.used >= self.n_epochs else None


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", default="mnist_5k")
    parser.add_argument("--budget", type=int, default=800, help="epochs a search")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--first-seed", type=int, default=0)
    options = parser.parse_args()
    dataset = check(compose([f"data={options.data}"])).data.load()
    bests: dict[str, list[float]] = {name: [] for name in METHODS}
    print("| seed | method | best val/loss | epochs | trials | pruned | failed | seconds |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    for seed in range(options.first_seed, options.first_seed + options.repeats):
        for name, settings in METHODS.items():
            search = Search(**settings, n_trials=10_000, seed=seed)
            best, counts = run(search, options.data, dataset, options.budget)
            bests[name].append(best)
            print(f"| {seed} | {name} | {best:.4f} | {' | '.join(counts)} |", flush=True)
    for name, found in bests.items():
        print(f"| median | {name} | {median(found):.4f} |")


def run(search: Search, data: str, dataset: Dataset, n_epochs: int) -> tuple[float, list[str]]:
    """Search until the budget is spent; return the best value, and what came of the trials."""
    begin, budget, values, n_pruned, n_failed = time.perf_counter(), Budget(n_epochs), [], 0, 0
    with tempfile.TemporaryDirectory() as folder:
        journal = Path(folder) / "study"
        study = Study(journal, search, Space(read_space(SPACE)), METRIC, MAX_EPOCHS)
        while budget.used < n_epochs:
            proposal = study.ask()
            assert proposal is not None
            pruner = TrialPruner(journal, proposal.number) if search.pruner != "none" else None
            words = [*overrides(proposal.point), f"data={data}", f"seed={search.seed}"]
            value = train(words, dataset, budget, pruner)
            pruned = pruner is not None and pruner.pruned
            study.tell(proposal.number, value, pruned=pruned)
            values += [value] if value is not None else []
            n_pruned, n_failed = n_pruned + pruned, n_failed + (value is None)
    seconds = time.perf_counter() - begin
    counts = [budget.used, proposal.number + 1, n_pruned, n_failed, round(seconds)]
    return min(values), [str(count) for count in counts]


def train(
    words: list[str], dataset: Dataset, budget: Budget, pruner: TrialPruner | None
) -> float | None:
    """Return the metric of a training's best epoch; None if it diverged, which costs an epoch."""
    limits = [f"trainer.max_epochs={MAX_EPOCHS}", f"trainer.patience={PATIENCE}"]
    job = check(compose([*words, *limits, f"trainer.monitor={METRIC}"]))
    rng = generator(job.seed, "init")
    network = job.model.build(dataset.n_in, dataset.n_classes, job.loss, rng)
    try:
        outcome = job.trainer.fit(
            network,
            job.optimizer,
            job.schedule,
            job.data.parts(dataset, job.seed),
            job.seed,
            listeners=[budget],
            stops=[budget, *([pruner] if pruner else [])],
        )
    except DivergedError:
        budget.used += 1
        return None
    return outcome.best[METRIC]


if __name__ == "__main__":
    main()
