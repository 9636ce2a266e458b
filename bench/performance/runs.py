"""Seconds of whole commands: a run and a sweep of short runs at the defaults, MLflow's store there.

A training takes about half a second, so that the rest is what a person waits for besides.
"""

from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

from bench.performance.processes import watch, worker
from bench.performance.results import cores, write
from mlp.base import generator
from mlp.config import check, compose
from mlp.runs import RunFolder, read_history

RESULT = r"\btest\b.*%"  # the line of the test set


def run(repeats: int, sweeps: Iterable[int]) -> None:
    """Measure everything, the best of some repeats, and store it."""
    with worker(1) as process:
        best = [process.submit(pure_training).result() for _ in range(repeats + 1)]
    epochs, pure = min(best, key=lambda result: result[1])
    rows = [row(f"the training alone, {epochs} epochs, in Python", pure, goal=None)]
    with TemporaryDirectory() as place:
        command(place, "-m", "mlp.run")  # makes the store
        for what, words in {"": [], ", tracking=none": ["tracking=none"]}.items():
            found = [single_run(place, *words) for _ in range(repeats)]
            own, shown, prompt = map(min, zip(*found, strict=True))
            goals = (0.65, 1.5, 2.5) if not words else (None,) * 3
            rows += [
                row(f"`mlp.run`{what}: the training's own time", own, goals[0]),
                row(f"`mlp.run`{what}: its result is on the screen", shown, goals[1]),
                row(f"`mlp.run`{what}: the prompt is back", prompt, goals[2]),
            ]
        seconds = min(command(place, "-m", "mlp.run", "--help") for _ in range(repeats))
        rows.append(row("`mlp.run --help`", seconds, goal=0.45))
        for n_jobs in sweeps:
            rows += sweep(place, n_jobs, pure / epochs)
        write("runs", rows)


def row(what: str, seconds: float, goal: float | None) -> dict[str, Any]:
    """Print and return a line of the result."""
    print(f"{what:58} {seconds:6.2f} s")
    return {"what": what, "seconds": seconds, "goal": goal}


def pure_training() -> tuple[int, float]:
    """Train as the defaults do, and nothing else; return the epochs and the seconds."""
    job = check(compose([]))
    dataset = job.data.load()
    parts = job.data.parts(dataset, job.seed)
    rng = generator(job.seed, "init")
    network = job.model.build(dataset.n_in, dataset.n_classes, job.loss, rng)
    begin = perf_counter()
    outcome = job.trainer.fit(network, job.optimizer, job.schedule, parts, job.seed)
    return outcome.epochs, perf_counter() - begin


def command(place: str, *words: str) -> float:
    """Return the seconds of a command whose runs lie in ``place``."""
    return watch(words, MLP_RUNS=place).seconds


def single_run(place: str, *words: str) -> tuple[float, float, float]:
    """Return the training's own time, when its result is on the screen, and when all has ended."""
    before = histories(place)
    watched = watch(["-m", "mlp.run", *words], MLP_RUNS=place)
    [path] = histories(place) - before
    history = read_history(RunFolder(path.parent))
    milliseconds = history[-1]["timestamp"] - history[0]["timestamp"]
    own = history[0]["seconds"] + milliseconds / 1000
    return own, watched.shown(RESULT), watched.seconds


def sweep(place: str, n_jobs: int, epoch: float) -> list[dict[str, Any]]:
    """Return what a sweep over seeds takes, and its trainings alone when they share the cores."""
    before = histories(place)
    seconds = command(place, "-m", "mlp.run", "-m", f"seed=range({n_jobs})")
    n_epochs = sum(len(read_history(RunFolder(p.parent))) for p in histories(place) - before)
    ideal = n_epochs * epoch / cores()
    what = f"`mlp.run -m 'seed=range({n_jobs})'`"
    goal = 8.0 if n_jobs == 16 else 1.25 * ideal
    return [
        row(f"{what}: the prompt is back", seconds, goal),
        row(f"{what}: its trainings alone, on {cores()} cores", ideal, goal=None),
    ]


def histories(place: str) -> set[Path]:
    """Return the histories of all runs."""
    return set(Path(place).glob("*/history.csv"))
