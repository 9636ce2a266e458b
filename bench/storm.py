"""A storm: trainings and sweeps are killed over and over, and have to come to the same.

    python bench/storm.py                          # some minutes
    python bench/storm.py --kills 10 --sweep-kills 0

Three ways to die: a training is killed with SIGKILL at random moments; a sweep is, with all of its
workers; and a training stops at each point in turn at which something is written, between the
writing, the forcing to the disk and the renaming. Each time it is started again. What counts in the
end is compared with an undisturbed one: weights bit for bit, every figure of every epoch, once,
here and in MLflow, the leaderboard; and nothing may be left lying about.
"""

import argparse
import csv
import itertools
import os
import random
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

os.environ |= dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")

import mlp.jobs.train
import mlp.runs.provenance
import mlp.training.checkpoint
from mlp.base import UNFINISHED, runs_dir
from mlp.config import check, compose
from mlp.jobs import resume_run
from mlp.runs import (
    RunFolder,
    list_sweeps,
    mark_orphaned_runs,
    read_history,
    read_training,
    undelivered_runs,
)
from mlp.runs.find import list_runs
from mlp.sync import sync
from mlp.tracking import mlflow_client, read_counterpart

Config = Mapping[str, Any]
TRAINING = shlex.split(
    "data=digits threads=1 model.hidden_sizes=[32] model.dropout=0.2 model.batch_norm=true "
    "optimizer=nadam schedule=one_cycle trainer.patience=null trainer.checkpoint_every=0.001"
)
SWEEP = shlex.split(
    "-m data=digits tracking=none model.hidden_sizes=[8],[16] optimizer.lr=0.001,0.003 "
    "seed=range(3) trainer.max_epochs=10 trainer.checkpoint_every=0.1"
)
STORE = "mlflow.db"
TIMES = ("timestamp", "seconds", "examples_per_second")
MEMORY = next((path for path in ("/dev/shm",) if os.access(path, os.W_OK)), None)  # a quick disk
DIED = 9
CALLS = ("fsync", "replace", "rename", "truncate")  # of os: what makes a file's content and name


def main() -> None:
    """Let the storm rage, and exit with 1 if anything was lost."""
    parser = argparse.ArgumentParser(description="Kill trainings and sweeps, and compare.")
    parser.add_argument("--kills", type=int, default=50, help="of trainings, at random moments")
    parser.add_argument("--sweep-kills", type=int, default=20, help="of sweeps")
    parser.add_argument("--epochs", type=int, default=150, help="of the trainings that are killed")
    parser.add_argument("--tracking", default="mlflow", choices=["mlflow", "none"])
    parser.add_argument("--seed", type=int, default=0, help="of the moments")
    arguments = parser.parse_args()
    mlp.training.checkpoint.MAX_SHARE = 1e9  # a checkpoint each epoch, whatever it costs
    mlp.jobs.train.draw_training_figures = mlp.jobs.train.draw_evaluation_figures = lambda *_: None
    mlp.runs.provenance.git_state = lambda: None
    moments = random.Random(arguments.seed)
    with tempfile.TemporaryDirectory(prefix="storm-", dir=MEMORY) as place:
        os.chdir(place)
        long = [f"tracking={arguments.tracking}", f"trainer.max_epochs={arguments.epochs}"]
        kill_trainings(prepared(long), arguments.kills, moments)
        stop_at_each_point(prepared(["tracking=none", "trainer.max_epochs=3"]))
        kill_sweeps(arguments.sweep_kills, moments)


def prepared(words: list[str]) -> Config:
    """Return a training's configuration; what is slow is done once for all processes."""
    config = compose([*TRAINING, *words])
    check(config).data.load()
    if "tracking=mlflow" in words:
        import mlflow.pyfunc
        import mlflow.store.tracking.sqlalchemy_store  # noqa: F401

        new_place()
        must(in_child(mlflow_client) == 0, "a store")
        shutil.move(runs_dir() / STORE, STORE)
    return config


def kill_trainings(config: Config, n_kills: int, moments: random.Random) -> None:
    """Kill trainings at random moments; a new one begins when one has come to its end."""
    if not n_kills:
        return
    expected, seconds = undisturbed(config)
    killed, n_runs = 0, 0
    while killed < n_kills:
        new_place()
        n_runs += 1
        while in_child(lambda: begin_or_go_on(config), moments.uniform(0, seconds)) == DIED:
            killed += 1
        compare(expected)
    print(f"{killed} kills of {n_runs} trainings: all as the undisturbed one")


def stop_at_each_point(config: Config) -> None:
    """Stop a training before each call in turn that forces something to the disk or renames it."""
    expected, _ = undisturbed(config)
    for n in itertools.count(1):
        new_place()
        status = in_child(lambda n=n: die_at_call(n, lambda: begin_or_go_on(config)))
        if status != DIED:
            break
        must(in_child(lambda: begin_or_go_on(config)) == 0, f"going on after the {n}th point")
        compare(expected)
    print(f"stopped at each of {n - 1} points of writing: all as the undisturbed one")


def kill_sweeps(n_kills: int, moments: random.Random) -> None:
    """Kill sweeps with their workers at random moments."""
    if not n_kills:
        return
    new_place()
    begin = time.monotonic()
    must(start_sweep().wait() == 0, "the undisturbed sweep")
    seconds, expected = time.monotonic() - begin, sweep_result()
    killed, n_sweeps = 0, 0
    while killed < n_kills:
        new_place()
        n_sweeps += 1
        while (status := die_within(start_sweep(), moments.uniform(2, seconds))) == -signal.SIGKILL:
            killed += 1
        must(status == 0, "the sweep's end")
        must(sweep_result() == expected, "the sweep's result")
    print(f"{killed} kills of {n_sweeps} sweeps: all as the undisturbed one")


def undisturbed(config: Config) -> tuple[Any, float]:
    """Return what a training comes to that nobody kills, and the seconds that it takes."""
    new_place()
    begin = time.monotonic()
    must(in_child(lambda: begin_or_go_on(config)) == 0, "the undisturbed training")
    return result(), time.monotonic() - begin


def begin_or_go_on(config: Config) -> None:
    """Do what a user does who finds that a training has died."""
    mark_orphaned_runs()
    if not list_runs():
        mlp.jobs.train.run_job(config)
    elif read_training(list_runs()[0]).status != "FINISHED":
        resume_run(list_runs()[0].path.name)


def compare(expected: Any) -> None:
    """Exit if a training has not come to the same, or something was left lying about."""
    must(result() == expected, "the result")
    [folder] = list_runs()
    unfinished = folder.path.glob(f"**/.*{UNFINISHED}")
    # figures are drawn when the run has ended: of one that is cut off, `mlp clean` removes the rest
    must({path.parent for path in unfinished} <= {folder.figures}, "nothing unfinished")
    must(not folder.alive.exists(), "nobody alive")
    if read_training(folder).tracking:
        must(in_child(lambda: check_mlflow(folder)) == 0, "what MLflow has")


def result() -> Any:
    """Return what the one training has come to, but for times."""
    mark_orphaned_runs()
    [folder] = list_runs()
    record, rows = read_training(folder), read_history(folder)
    must([row["epoch"] for row in rows] == list(range(1, len(rows) + 1)), "each epoch once")
    return {
        "weights": {path.name: path.read_bytes() for path in folder.weights.glob("*.npy")},
        "history": [timeless(row) for row in rows],
        "best": timeless(record.metrics),
        "test": record.test and timeless(record.test.model_dump()),
        "record": [record.status, record.stop_reason, record.epochs],
    }


def check_mlflow(folder: RunFolder) -> None:
    """Raise AssertionError unless MLflow has each figure of each epoch, once."""
    assert sync(undelivered_runs()) == 0
    client, rows, run_id = mlflow_client(), read_history(folder), read_counterpart(folder).run_id
    assert client.get_run(run_id).info.status == "FINISHED"
    for name in rows[0].keys() - {"epoch", "timestamp"}:
        sent = [(m.step, m.timestamp, m.value) for m in client.get_metric_history(run_id, name)]
        assert sent == [(row["epoch"], row["timestamp"], row[name]) for row in rows], name


def start_sweep() -> subprocess.Popen[bytes]:
    """Start the sweep, or go on with it, in a session of its own."""
    command = [sys.executable, "-m", "mlp.run", *SWEEP]
    return subprocess.Popen(command, start_new_session=True, stdout=subprocess.DEVNULL)


def die_within(process: subprocess.Popen[bytes], seconds: float) -> int:
    """Kill a process with all that it has started, unless it ends in time; return its status."""
    try:
        return process.wait(seconds)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        return process.wait()


def sweep_result() -> Any:
    """Return the leaderboard, but for ids and times, and the weights of each job."""
    [sweep] = list_sweeps()
    must(sweep.status == "FINISHED", "the sweep's status")
    own = ("run ids", "seconds")
    with (runs_dir() / sweep.id / "leaderboard.csv").open() as file:
        board = [{k: v for k, v in row.items() if k not in own} for row in csv.DictReader(file)]
    jobs = {
        read_training(folder).job.key: [
            (path.name, path.read_bytes()) for path in sorted(folder.weights.glob("*.npy"))
        ]
        for folder in list_runs()
        if read_training(folder).status == "FINISHED"
    }
    return board, jobs


def in_child(do: Callable[[], None], seconds: float | None = None) -> int:
    """Do something in a process of its own, which is killed after a time; return how it ended."""
    pid = os.fork()
    if pid == 0:
        try:
            sys.stdout = sys.stderr = open(os.devnull, "w")  # noqa: SIM115
            do()
        except BaseException:
            traceback.print_exc(file=sys.__stderr__)
            os._exit(1)
        os._exit(0)
    for _ in waiting(seconds):
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    return DIED


def waiting(seconds: float | None) -> Iterator[None]:
    """Yield every few milliseconds until the time is up."""
    end = time.monotonic() + (seconds or 600)
    while time.monotonic() < end:
        yield
        time.sleep(0.003)


def die_at_call(n: int, do: Callable[[], None]) -> None:
    """Do something, and die before the n-th of the calls that make a file what it is."""
    counter = itertools.count(1)

    def deadly(call: Callable[..., Any]) -> Callable[..., Any]:
        def called(*args: Any, **kwargs: Any) -> Any:
            if next(counter) == n:
                os._exit(DIED)
            return call(*args, **kwargs)

        return called

    for name in CALLS:
        setattr(os, name, deadly(getattr(os, name)))
    do()


def timeless(figures: dict[str, float]) -> dict[str, float]:
    """Return figures without those that no two trainings share."""
    return {name: value for name, value in figures.items() if name not in TIMES}


def new_place() -> None:
    """Begin with an empty folder of runs."""
    os.environ["MLP_RUNS"] = "runs"
    shutil.rmtree(runs_dir(), ignore_errors=True)
    if Path(STORE).exists():
        runs_dir().mkdir()
        shutil.copy(STORE, runs_dir())


def must(right: bool, what: str) -> None:
    """Exit if something is not as it must be, and leave the runs to be looked at."""
    if not right:
        place = tempfile.mkdtemp(prefix="storm-failed-")
        shutil.copytree(runs_dir(), place, dirs_exist_ok=True)
        sys.exit(f"not right: {what}; the runs are copied to {place}")


if __name__ == "__main__":
    main()
