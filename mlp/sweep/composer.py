"""Composes and checks a sweep's jobs; a job's key is a hash of what determines its result."""

import hashlib
import json
import pickle
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override, OverrideType
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig, OmegaConf

from mlp.base import ConfigError
from mlp.config import Job, Settings, check, check_settings, is_plain
from mlp.data import Dataset, Parts, Source, Targets
from mlp.jobs import check_fit
from mlp.runs import IRRELEVANT


@dataclass(frozen=True)
class CommandLine:
    """The command line of a sweep, and what Hydra has made of it.

    Attributes
    ----------
    words : sequence of str
        Overrides; those with several values are axes.
    config : DictConfig
        Composed of those that have one value.
    context : HydraContext
    task : TaskFunction
        What Hydra's launchers call for each job.
    """

    words: Sequence[str]
    config: DictConfig
    context: HydraContext
    task: TaskFunction


@dataclass(frozen=True)
class PlannedJob:
    """A checked job of a sweep, ready to run.

    Attributes
    ----------
    key : str
        Hash of everything that determines its result.
    name : str
        Short and unique.
    params : dict
        The values that the sweep has chosen for it, by dotted key.
    overrides : list of str
        They make it a single run: ``mlp run OVERRIDES``.
    config : mapping
        Composed and resolved, plain containers.
    data_digest : str
        Stands for the data, wherever their files are.
    monitor : str
        The metric it is compared by: without validation data, its training loss.
    trial : int or None
        Number of the search's trial whose pruner watches it, if one does.
    parent : str
        The sweep's id, once it has one.
    """

    key: str
    name: str
    params: dict[str, Any]
    overrides: list[str]
    config: Mapping[str, Any]
    data_digest: str = ""
    monitor: str = ""
    trial: int | None = None
    parent: str = ""

    @property
    def child(self) -> dict[str, Any]:
        """The place of its run in the sweep."""
        return {key: getattr(self, key) for key in ("parent", "key", "name", "params", "trial")}


class Composer:
    """Composes and checks the configurations of a sweep's jobs.

    Hydra takes 80 ms for a configuration, of which setting values takes one: each combination of
    choices is composed once, and the values are set on a copy, as Hydra itself would do it.

    Parameters
    ----------
    line : CommandLine
    settings : Settings
        By default a job has one BLAS thread, and does not read the test set unless sweep.test is
        all.

    Attributes
    ----------
    fixed : dict of str to Override
        What all jobs share, by dotted key.
    axes : dict of str to Override
        Those with several values, by dotted key.

    Raises
    ------
    ConfigError
        When a sweep's own setting has several values.
    """

    def __init__(self, line: CommandLine, settings: Settings) -> None:
        self._master, self._loader = line.config, line.context.config_loader
        self._parser = OverridesParser.create(config_loader=self._loader)
        self._composed: dict[tuple[str, ...], bytes] = {}
        self._parts: dict[str, Any] = {}
        self._loaded: dict[tuple[Source, Targets], tuple[Dataset, Parts]] = {}
        self._options = cache(self._loader.get_group_options)
        default = [] if settings.test == "all" else ["test=false"]
        default += ["threads=1"] if line.config.threads is None else []
        preset = [f"{key}={values}" for key, values in getattr(settings, "axes", {}).items()]
        parsed = self._parser.parse_overrides([*default, *preset, *line.words])
        given = {override.key_or_group: override for override in parsed}
        ours = [key for key in given if key.split(".")[0] == "sweep"]
        several = [key for key in given if given[key].is_sweep_override()]
        if wrong := [given[key].input_line for key in ours if key in several]:
            raise ConfigError(f"'{wrong[0]}': a sweep's own settings have one value")
        self.axes = {given[key].get_key_element(): given[key] for key in several}
        self.fixed = {key: given[key] for key in given if key not in [*ours, *several]}

    def __call__(self, words: Sequence[str], name: str = "") -> PlannedJob:
        """Return the job that these overrides make of what all share.

        Raises
        ------
        UserError
            When the configuration or its data are not acceptable.
        HydraException
            When a choice does not exist.
        """
        parsed = self._parser.parse_overrides(list(words))
        values = [override for override in parsed if self._sets_a_value(override)]
        shared = [str(override.input_line) for override in self.fixed.values()]
        config = self._compose([*shared, *(str(o.input_line) for o in parsed if o not in values)])
        job = check(_with_values(config, values), self._parts)
        if job.name is not None:
            raise ConfigError(
                "name is a single run's; a sweep names its jobs by what differs, and sweep.name "
                "is the sweep's own"
            )
        dataset, parts = self._load(job)
        check_fit(job, dataset, parts)
        return PlannedJob(
            key=job_key(job.config, dataset.digest),
            name=name,
            params={override.key_or_group: override.value() for override in parsed},
            overrides=[*shared, *words],
            config=job.config,
            data_digest=dataset.digest,
            monitor=job.trainer.monitored(parts) or "train/loss",
        )

    def _sets_a_value(self, override: Override) -> bool:
        """Tell values from choices within a group, which have to be composed."""
        plain = override.type == OverrideType.CHANGE and override.package is None
        return plain and not self._options(override.key_or_group)

    def _compose(self, words: Sequence[str]) -> DictConfig | dict[str, Any]:
        """Return a new copy of what Hydra composes; a dict if there is nothing to resolve in it."""
        if tuple(words) not in self._composed:
            config = self._loader.load_sweep_config(self._master, list(words))
            check_settings(config.hydra)
            keys = [str(key) for key in config if key not in ("hydra", "sweep")]
            composed: Any = OmegaConf.masked_copy(config, keys)
            plain = OmegaConf.to_container(composed)
            self._composed[tuple(words)] = pickle.dumps(plain if is_plain(plain) else composed)
        copy: DictConfig | dict[str, Any] = pickle.loads(self._composed[tuple(words)])
        return copy

    def _load(self, job: Job) -> tuple[Dataset, Parts]:
        """Return the job's data, loaded once for all jobs."""
        key = job.data, job.task.targets
        if key not in self._loaded:
            dataset = job.data.load(job.task.targets)
            self._loaded[key] = dataset, job.data.parts(dataset, job.seed)
        return self._loaded[key]


def _with_values(config: DictConfig | dict[str, Any], overrides: Sequence[Override]) -> Any:
    """Return a configuration with some values; an unknown key is set as well: the check names it.

    Plain containers take plain values, which is as quick as it looks; the rest is OmegaConf's.
    """
    for override in overrides:
        *path, last = override.key_or_group.split(".")
        value: Any = override.value()
        node: Any = config
        for name in path:
            node = node.get(name) if isinstance(node, dict) else None
        if isinstance(node, dict) and not isinstance(value, dict) and is_plain(value):
            node[last] = value
        else:
            config = config if isinstance(config, DictConfig) else OmegaConf.create(config)
            OmegaConf.update(config, override.key_or_group, value, force_add=True)
    return config


def job_key(config: Mapping[str, Any], data_digest: str) -> str:
    """Return a hash of all that determines a job's result.

    Parameters
    ----------
    config : mapping
        As in `PlannedJob`.
    data_digest : str
        Stands for the data, wherever their files are.
    """
    relevant = _without(config, *IRRELEVANT)
    data = _without(config["data"], "dir", "path", "test_path")
    trainer = _without(config["trainer"], "checkpoint_every", "keep_checkpoint")
    return digest(relevant | {"data": data, "digest": data_digest, "trainer": trainer})


def _without(values: Mapping[str, Any], *keys: str) -> dict[str, Any]:
    return {key: value for key, value in values.items() if key not in keys}


def digest(value: Any) -> str:
    """Return a hash of plain values; equal numbers are equal, however they are written."""
    canonical = json.loads(json.dumps(value), parse_float=_shortest)
    return hashlib.sha256(json.dumps(canonical, sort_keys=True).encode()).hexdigest()


def _shortest(text: str) -> float:
    """Read a number such that 1.0 is 1."""
    number = float(text)
    return int(number) if number.is_integer() else number
