"""The executor that ``hydra/launcher=`` names: one of ours, or a launcher plugin of Hydra's.

A plugin, be it joblib's, the serial one or another that is installed, takes several jobs at once,
composes them again, and returns when all have ended.
"""

import json
from itertools import islice
from typing import Any

from hydra.core.override_parser.types import Quote, QuotedString
from hydra.core.plugins import Plugins
from hydra.core.utils import JobReturn, JobStatus
from hydra.plugins.launcher import Launcher
from omegaconf import OmegaConf

from mlp.base import ConfigError, RunError, UserError
from mlp.config import build
from mlp.sweep.composer import CommandLine, PlannedJob
from mlp.sweep.executors.base import Ask, Executor, Outcomes
from mlp.sweep.worker import ChildResult, first_line


def choose_executor(line: CommandLine, batch: int | None) -> Executor:
    """Return the executor: one of ours, or one that stands for a launcher plugin of Hydra's.

    Parameters
    ----------
    line : CommandLine
    batch : int, optional
        Jobs that a launcher of Hydra's is given at once; by default all.

    Raises
    ------
    ConfigError
        When a setting is not acceptable, or something is not installed.
    """
    node: Any = OmegaConf.to_container(line.config.hydra.launcher, resolve=True)
    plugins = Plugins.instance()
    installed = {f"{c.__module__}.{c.__name__}" for c in plugins.discover(Launcher)}
    target = node.get("_target_")
    if str(target) not in installed:
        executor: Executor = build("hydra.launcher", node, Executor)
        return executor
    if json.dumps(node, default=str).count("_target_") > 1:
        raise ConfigError("hydra.launcher: no setting of a launcher has a _target_")
    launcher = plugins.instantiate_launcher(line.context, line.task, line.config)
    name = line.config.hydra.runtime.choices["hydra/launcher"]
    return HydraLauncher(launcher, name, 1 if name == "basic" else batch)  # it runs one at a time


class HydraLauncher(Executor):
    """Hands jobs to one of Hydra's launchers.

    Parameters
    ----------
    launcher : Launcher
    name : str
        Its name on the command line.
    batch : int, optional
        Jobs per launch; by default all.
    """

    def __init__(self, launcher: Launcher, name: str, batch: int | None = None) -> None:
        self._launcher, self._name, self._batch = launcher, name, batch

    def describe(self, threads: int) -> str:
        """Name the launcher."""
        return f"by {self._name}"

    def run(self, ask: Ask, n_jobs: int, threads: int) -> Outcomes:
        """See `Executor.run`."""
        while jobs := list(islice(iter(ask, None), self._batch)):
            words = [[*job.overrides, *_additions(job)] for job in jobs]
            try:
                answers = self._launcher.launch(words, initial_job_idx=0)
            except UserError:
                raise
            except Exception as error:
                raise RunError(f"the launcher gave up: {first_line(error)}") from error
            for job, answer in zip(jobs, answers, strict=True):
                yield job, _result(answer)


def _additions(job: PlannedJob) -> list[str]:
    """Return the overrides that tell a job, composed again in whatever folder, what it is."""
    data = {f"data.{key}": job.config["data"].get(key) for key in ("dir", "path")}
    values = data | {"+sweep.child": json.dumps(job.child)}
    return [
        f"{key}={QuotedString(value, Quote.single).with_quotes()}"
        for key, value in values.items()
        if value
    ]


def _result(answer: JobReturn) -> ChildResult:
    """Return the outcome of a job."""
    if answer.status != JobStatus.COMPLETED:
        return ChildResult("failed", first_line(answer._return_value))
    result: ChildResult = answer.return_value
    return result
