"""Jobs run by one of Hydra's launchers: one after another, or on a cluster.

A launcher takes all jobs at once and returns when all are through. What happens meanwhile is read
from the folders of the runs.
"""

import json
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from hydra.core.utils import JobReturn, JobStatus
from hydra.plugins.launcher import Launcher
from omegaconf import DictConfig, OmegaConf

from mlp.errors import ConfigError
from mlp.sweep.plan import PlannedJob
from mlp.sweep.record import Children
from mlp.sweep.worker import ChildResult

KNOWN = (
    "hydra_plugins.mlp_sweep.LocalLauncher",
    "hydra._internal.core_plugins.basic_launcher.BasicLauncher",
    "hydra_plugins.hydra_submitit_launcher.submitit_launcher.LocalLauncher",
    "hydra_plugins.hydra_submitit_launcher.submitit_launcher.SlurmLauncher",
    "hydra_plugins.hydra_ray_launcher.ray_launcher.RayLauncher",
)
INTERVAL = 1.0  # seconds between two looks at the folders


def check_launcher(config: DictConfig) -> None:
    """Raise ConfigError unless ``hydra.launcher`` is one we know, and calls nothing else."""
    values = OmegaConf.to_container(config, resolve=False)
    assert isinstance(values, dict)
    target = values.pop("_target_", None)
    if target not in KNOWN or "_target_" in json.dumps(values, default=str):
        raise ConfigError(f"hydra.launcher._target_ must be left as it is, got {target!r}")


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
    """
    follower = _Follower(jobs, children, started, ended)
    with follower.following():
        returns = launcher.launch(
            [[*job.overrides, child_override(children.parent, job)] for job in jobs],
            initial_job_idx=0,
        )
    for job, answer in zip(jobs, returns, strict=True):
        if job.key not in follower.ended:
            ended(job, _result(answer))


def child_override(parent: str, job: PlannedJob) -> str:
    """Return the override that tells a job, wherever it is composed again, what it is."""
    text = json.dumps(job.child_of(parent)).replace("\\", "\\\\").replace("'", "\\'")
    return f"+sweep.child='{text}'"


class _Follower:
    """Looks at the folders of the runs from time to time, in a thread of its own."""

    def __init__(
        self,
        jobs: Sequence[PlannedJob],
        children: Children,
        started: Callable[[PlannedJob], None],
        ended: Callable[[PlannedJob, ChildResult], None],
    ) -> None:
        self._jobs = {job.key: job for job in jobs}
        self._children, self._on_start, self._on_end = children, started, ended
        self._earlier = {record["id"] for record in children.read()}
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
            job = self._jobs.get(record["sweep"]["key"])
            if job is None or record["id"] in self._earlier:
                continue
            if job.key not in self.started:
                self.started.add(job.key)
                self._on_start(job)
            if record["status"] != "RUNNING" and job.key not in self.ended:
                self.ended.add(job.key)
                self._on_end(job, ChildResult.of(record))


def _result(answer: JobReturn) -> Any:
    if answer.status == JobStatus.COMPLETED:
        return answer.return_value
    error = answer._return_value
    return ChildResult("failed", f"{type(error).__name__}: {error}".splitlines()[0])
