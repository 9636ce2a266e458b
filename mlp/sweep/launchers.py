"""Jobs run by one of Hydra's launchers: one after another, or on a cluster.

A launcher takes all jobs at once and returns when all are through. What happens meanwhile is read
from the folders of the runs.
"""

import json
import os
import shutil
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec

from hydra.core.override_parser.types import Quote, QuotedString
from hydra.core.utils import JobReturn, JobStatus
from hydra.plugins.launcher import Launcher
from omegaconf import DictConfig, OmegaConf

from mlp.base import ConfigError, RunError, UserError, runs_dir
from mlp.runs import Children, Record
from mlp.sweep.archive import unpack
from mlp.sweep.cluster import managed
from mlp.sweep.composer import PlannedJob
from mlp.sweep.pool import ONE_THREAD
from mlp.sweep.worker import ChildResult

PLUGINS = {  # and the extra that brings each
    "hydra_submitit_launcher": "slurm",
    "hydra_ray_launcher": "ray",
}
SLURM = "hydra_plugins.hydra_submitit_launcher.submitit_launcher.SlurmLauncher"
KNOWN = (
    "hydra_plugins.mlp_sweep.LocalLauncher",
    "hydra._internal.core_plugins.basic_launcher.BasicLauncher",
    "hydra_plugins.hydra_submitit_launcher.submitit_launcher.LocalLauncher",
    SLURM,
    "hydra_plugins.hydra_ray_launcher.ray_launcher.RayLauncher",
)
INTERVAL = 1.0  # seconds between two looks at the folders
GRACE = 20.0  # seconds that the jobs have to end by themselves after an interruption


def check_launcher(hydra: DictConfig) -> None:
    """Raise ConfigError unless the launcher is one we know, calls nothing else, and is there.

    Parameters
    ----------
    hydra : DictConfig
        What Hydra has composed for itself.
    """
    values = OmegaConf.to_container(hydra.launcher, resolve=False)
    assert isinstance(values, dict)
    target = values.pop("_target_", None)
    if target not in KNOWN or "_target_" in json.dumps(values, default=str):
        raise ConfigError(f"hydra.launcher._target_ must be left as it is, got {target!r}")
    plugin, choice = target.split(".")[1], hydra.runtime.choices["hydra/launcher"]
    if plugin in PLUGINS and find_spec(f"hydra_plugins.{plugin}") is None:
        extra = f"pip install 'mlp[{PLUGINS[plugin]}]'"
        raise ConfigError(f"hydra/launcher={choice} needs {plugin.replace('_', '-')}: {extra}")
    if target == SLURM and not shutil.which("srun"):
        raise ConfigError(f"hydra/launcher={choice} needs srun: start it where Slurm is")


def share_environment() -> None:
    """Set what the jobs inherit, or what the launchers' configurations pass on to them."""
    os.environ |= ONE_THREAD | {"MLP_RUNS": str(runs_dir())}


def launch(
    launcher: Launcher,
    jobs: Sequence[PlannedJob],
    children: Children,
    started: Callable[[PlannedJob], None],
    ended: Callable[[PlannedJob, ChildResult], None],
) -> None:
    """Run jobs by a launcher of Hydra's.

    Parameters
    ----------
    launcher : Launcher
    jobs : sequence of PlannedJob
    children : Children
        Of the sweep.
    started, ended : callable
        They are told of each job once, ``started`` only if that was noticed in time.

    Raises
    ------
    RunError
        When the launcher could not do its work.
    """
    follower = _Follower(jobs, children, started, ended)
    words = [[*job.overrides, *_additions(job, children.parent)] for job in jobs]
    try:
        with follower.following(), managed(launcher):
            answers = launcher.launch(words, initial_job_idx=0)
    except UserError:
        raise
    except Exception as error:
        raise RunError(f"the launcher gave up: {_first_line(error)}") from error
    except BaseException:
        _await_end(children)
        raise
    for job, answer in zip(jobs, answers, strict=True):
        if job.key not in follower.ended:
            ended(job, _result(answer))


def _additions(job: PlannedJob, parent: str) -> list[str]:
    """Return the overrides that tell a job, composed again in whatever folder, what it is."""
    data = {f"data.{key}": job.config["data"].get(key) for key in ("dir", "path")}
    values = data | {"+sweep.child": json.dumps(job.child_of(parent))}
    return [
        f"{key}={QuotedString(value, Quote.single).with_quotes()}"
        for key, value in values.items()
        if value
    ]


class _Follower:
    """Looks at the folders of the runs from time to time, in a thread of its own."""

    def __init__(
        self,
        jobs: Sequence[PlannedJob],
        children: Children,
        started: Callable[[PlannedJob], None],
        ended: Callable[[PlannedJob, ChildResult], None],
    ) -> None:
        self._jobs = defaultdict(list)  # a search may propose the same twice
        for job in jobs:
            self._jobs[job.key].append(job)
        self._children, self._on_start, self._on_end = children, started, ended
        self._earlier = [_attempt(record) for record in children.read()]
        self.started: set[str] = set()
        self.ended: set[str] = set()

    @contextmanager
    def following(self) -> Iterator[None]:
        over = threading.Event()

        def follow() -> None:
            while not over.wait(INTERVAL):
                self.look()

        thread = threading.Thread(target=follow, daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()
            self.look()

    def look(self) -> None:
        """Report what has changed."""
        for record in self._children.read():
            key = record["sweep"]["key"]
            if key not in self._jobs or _attempt(record) in self._earlier:
                continue
            if key not in self.started:
                self.started.add(key)
                for job in self._jobs[key]:
                    self._on_start(job)
            if record["status"] != "RUNNING" and key not in self.ended:
                self.ended.add(key)
                for job in self._jobs[key]:
                    self._on_end(job, ChildResult.of(record))


def _await_end(children: Children) -> None:
    """Give the jobs under way the time to store what they have."""
    deadline = time.monotonic() + GRACE
    while time.monotonic() < deadline:
        children.bury_dead()
        if not children.counts()["running"]:
            return
        time.sleep(0.1)


def _attempt(record: Record) -> tuple[str, str | None]:
    """Return what tells a start of a run from the one before, which was interrupted."""
    return record["id"], record.get("continued")


def _result(answer: JobReturn) -> ChildResult:
    """Return what a job has come to; its run is here then, if there is one."""
    if answer.status == JobStatus.COMPLETED:
        result: ChildResult = answer.return_value
        if result.parcel:
            unpack(result.parcel, runs_dir())
        return result
    state = "failed" if answer.status == JobStatus.FAILED else "killed"
    return ChildResult(state, _first_line(answer._return_value))


def _first_line(error: Exception) -> str:
    words = str(error) if isinstance(error, UserError) else f"{type(error).__name__}: {error}"
    return words.splitlines()[0]
