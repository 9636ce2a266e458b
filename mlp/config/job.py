"""A composed configuration, checked as a whole, becomes a Job: the parts of one run.

Nothing is loaded, written or trained here.
"""

import re
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, get_type_hints

from omegaconf import MissingMandatoryValue, OmegaConf
from omegaconf.errors import OmegaConfBaseException
from pydantic import Field, NonNegativeInt

from mlp.base import ConfigError, runs_dir
from mlp.config.instantiation import build, check_arguments
from mlp.config.messages import first_line, prefixed, shown
from mlp.data import Augmentation, NoAugmentation, Source
from mlp.nn import MLP, Loss, Optimizer, Schedule
from mlp.runs import check_name, check_published, check_tags, find_training, read_run
from mlp.tracking import MLflowTracking, NoTracking
from mlp.training import Callback, Task, Trainer

MAX_THREADS = 1024


@dataclass
class Parts:
    """The parts of a run: a field for each group of the configuration that it is made of.

    They are new objects, made for one run alone.
    """

    task: Task
    model: MLP
    loss: Loss
    optimizer: Optimizer
    schedule: Schedule
    data: Source
    trainer: Trainer
    tracking: MLflowTracking | NoTracking
    augment: Augmentation | NoAugmentation = field(default_factory=NoAugmentation)


@dataclass
class Job(Parts):
    """One run, checked and not yet started; its fields are the configuration's top-level keys.

    Attributes
    ----------
    config : dict
        The configuration to be stored: plain containers, absolute paths.
    callbacks : dict of str to Callback
    """

    config: dict[str, Any] = field(init=False, repr=False)
    callbacks: dict[str, Any] = field(default_factory=dict)
    seed: NonNegativeInt = 0
    threads: Annotated[int, Field(ge=1, le=MAX_THREADS)] | None = None
    refit: bool = False
    test: bool = True
    name: str | None = None
    init_from: str | None = None
    published: dict[str, Any] | None = None
    tags: dict[str, str | int | float | bool | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        check_name(self.name)
        check_tags(self.tags)
        if self.published is not None:
            check_published(self.published)


RUN_ID = re.compile("[0-9a-f]{32}")
GROUPS = get_type_hints(Parts)  # with the class that each asks for


def check(config: Mapping[str, Any], parts: dict[str, Any] | None = None) -> Job:
    """Return the job that a composed or a stored configuration describes.

    Parameters
    ----------
    config : DictConfig or dict
        Left as it is; interpolations are resolved.
    parts : dict, optional
        Takes the job's parts, and which run ``init_from`` means, for later calls to use again: such
        jobs are looked at and not run.

    Raises
    ------
    ConfigError
        For the first key that is unknown, missing, of a wrong type or out of range.
    """
    plain = _plain(config)
    plain.pop("sweep", None)  # settings of the sweep, not of its jobs
    _make_paths_absolute(plain)
    made = {} if parts is None else parts
    _fix_origin(plain, made)
    check_arguments(Job, plain, built=frozenset(GROUPS))

    def part(key: str, node: Any, kind: Any) -> Any:
        content = f"{key}: {node}"
        if content not in made:
            made[content] = build(key, node, kind)
        return made[content]

    built = {name: part(name, plain[name], kind) for name, kind in GROUPS.items() if name in plain}
    built["callbacks"] = {
        name: part(f"callbacks.{name}", node, Callback)
        for name, node in plain.get("callbacks", {}).items()
        if node is not None  # callbacks.tensorboard=null takes one out of a preset
    }
    job = Job(**plain | built)
    with prefixed(""):
        job.task.check(job.loss)
    with prefixed("trainer."):
        job.task.check_monitor(job.trainer.monitor)
    job.config = plain
    return job


def _plain(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return a copy of the configuration as dicts and lists, without interpolations."""
    if isinstance(config, dict) and is_plain(config):
        return deepcopy(config)
    try:
        config = config if OmegaConf.is_config(config) else OmegaConf.create(dict(config))
        plain = OmegaConf.to_container(config, resolve=True, throw_on_missing=True)
    except MissingMandatoryValue as error:
        raise ConfigError(f"{error.full_key} must be given, as in {error.full_key}=...") from None
    except OmegaConfBaseException as error:
        raise ConfigError(f"{error.full_key}: {first_line(error)}") from None
    return dict(plain)  # type: ignore[arg-type]


def is_plain(value: Any) -> bool:
    """Tell whether there is nothing in plain containers for OmegaConf to resolve or to miss."""
    return not any(sign in repr(value) for sign in ("${", "???"))


def _make_paths_absolute(config: dict[str, Any]) -> None:
    """Resolve the paths of the data: a stored run is evaluated from any folder."""
    data = config.get("data")
    for key in ("dir", "path", "test_path"):
        if isinstance(data, dict) and isinstance(data.get(key), str):
            try:
                data[key] = str(Path(data[key]).expanduser().resolve())
            except (ValueError, RuntimeError, OSError) as error:  # a NUL, a user without a home
                raise ConfigError(f"data.{key} is no path ({error}): {shown(data[key])}") from None


def _fix_origin(config: dict[str, Any], known: dict[str, Any]) -> None:
    """Replace ``init_from`` by an id or a path: a name or ``latest`` will mean another run."""
    reference = config.get("init_from")
    if not isinstance(reference, str) or RUN_ID.fullmatch(reference) or reference[:1] == "/":
        return
    key = f"init_from: {reference}"
    if key not in known:  # as later, "latest" may mean the sweep that asks
        folder = find_training(reference)
        among_runs = folder.path.parent == runs_dir()
        known[key] = read_run(folder).id if among_runs else str(folder.path)
    config["init_from"] = known[key]
