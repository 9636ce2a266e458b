"""A composed configuration, checked as a whole, becomes a Job: the parts of one run.

Nothing is loaded, written or trained here. Each group names a class under ``mlp.`` as its
``_target_``, and the other keys are the arguments of its constructor: so the signatures say which
keys exist and of which type they are, and the constructors which values are in range.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from functools import cache
from importlib import import_module
from inspect import isabstract, signature
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, Union, cast, get_args, get_origin, get_type_hints

from mlp.base import ConfigError, at_least, closest, runs_dir
from mlp.data import Source
from mlp.nn import MLP, Loss, Optimizer, Schedule
from mlp.runs import check_name, check_tags, find_run, read_run
from mlp.tracking import MLflowTracking, NoTracking
from mlp.training import Trainer


@dataclass(frozen=True)
class Job:
    """One run, checked and not yet begun; its fields are the configuration's top-level keys.

    The parts are new objects, made for this job alone: it is run once.

    Attributes
    ----------
    config : dict
        What the job was made of, as plain containers with absolute paths; to be stored.
    """

    config: dict[str, Any] = field(repr=False)
    model: MLP
    loss: Loss
    optimizer: Optimizer
    schedule: Schedule
    data: Source
    trainer: Trainer
    tracking: MLflowTracking | NoTracking
    seed: int = 0
    threads: int | None = None
    test: bool = True
    name: str | None = None
    init_from: str | None = None
    tags: dict[str, str | int | float | bool | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        at_least(0, seed=self.seed)
        if self.threads is not None:
            at_least(1, threads=self.threads)
        check_name(self.name)
        check_tags(self.tags)


RUN_ID = re.compile("[0-9a-f]{32}")
GROUPS = ("model", "loss", "optimizer", "schedule", "data", "trainer", "tracking")


def check(config: Mapping[str, Any]) -> Job:
    """Return the job that a composed or a stored configuration describes.

    Parameters
    ----------
    config : DictConfig or dict
        Left as it is; interpolations are resolved.

    Raises
    ------
    ConfigError
        For the first key that is unknown, missing, of a wrong type or out of range.
    """
    plain = _plain(config)
    plain.pop("sweep", None)  # what a sweep is told is not its jobs' affair
    _make_paths_absolute(plain)
    _fix_origin(plain)
    _refuse_unknown(plain, [f.name for f in fields(Job) if f.name != "config"])
    kinds = get_type_hints(Job)
    parts = {k: part(k, plain.get(k), kinds[k]) for k in GROUPS}
    scalars = {k: v for k, v in plain.items() if k not in GROUPS}
    _check_types(Job, scalars)
    return _call(Job, config=plain, **parts, **scalars)


def _plain(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return the configuration as dicts and lists, without interpolations."""
    from omegaconf import MissingMandatoryValue, OmegaConf
    from omegaconf.errors import InterpolationResolutionError

    if not OmegaConf.is_config(config):
        config = OmegaConf.create(dict(config))
    try:
        plain = OmegaConf.to_container(config, resolve=True, throw_on_missing=True)
    except MissingMandatoryValue as error:
        raise ConfigError(f"{error.full_key} must be given, as in {error.full_key}=...") from None
    except InterpolationResolutionError as error:
        raise ConfigError(f"{error.full_key}: {str(error).splitlines()[0]}") from None
    return cast(dict[str, Any], plain)


def _make_paths_absolute(config: dict[str, Any]) -> None:
    """Resolve ``data.dir`` and ``data.path``: a stored run is evaluated from any folder."""
    data = config.get("data")
    for key in ("dir", "path"):
        if isinstance(data, dict) and isinstance(data.get(key), str):
            try:
                data[key] = str(Path(data[key]).expanduser().resolve())
            except (ValueError, RuntimeError, OSError) as error:  # a NUL, a user without a home
                raise ConfigError(f"data.{key} is no path ({error}): {_shown(data[key])}") from None


def _fix_origin(config: dict[str, Any]) -> None:
    """Replace ``init_from`` by an id or a path: a name or ``latest`` will mean another run."""
    reference = config.get("init_from")
    known = isinstance(reference, str) and (RUN_ID.fullmatch(reference) or reference[:1] == "/")
    if isinstance(reference, str) and not known:
        folder = find_run(reference)
        among_runs = folder.path.parent == runs_dir()
        config["init_from"] = read_run(folder)["id"] if among_runs else str(folder.path)


def part(group: str, values: Any, kind: Any) -> Any:
    """Return the object that a group describes, once all of its keys are found right.

    Parameters
    ----------
    group : str
        Its name, which begins the keys in messages.
    values : dict
        ``_target_`` and the arguments of its constructor.
    kind : type
        What the ``_target_`` must be, or a union of such classes.

    Raises
    ------
    ConfigError
        For the first key that is unknown, missing, of a wrong type or out of range.
    """
    if not isinstance(values, dict) or "_target_" not in values:
        raise ConfigError(
            f"{group} must be one of its choices, as in {group}=..., got {_shown(values)}"
        )
    cls = _target(group, values["_target_"], kind)
    arguments = {key: value for key, value in values.items() if key != "_target_"}
    return construct(cls, arguments, f"{group}.")


def construct(cls: type, arguments: Mapping[str, Any], prefix: str) -> Any:
    """Return ``cls(**arguments)``, or raise ConfigError for the first that is not acceptable.

    Parameters
    ----------
    cls : type
    arguments : mapping
    prefix : str
        What stands before an argument's name in messages: ``"model."``.
    """
    parameters = signature(cls).parameters
    _refuse_unknown(arguments, parameters, prefix)
    _check_types(cls, arguments, prefix)
    for key, parameter in parameters.items():
        if key not in arguments and parameter.default is parameter.empty:
            raise ConfigError(f"{prefix}{key} must be given, as in {prefix}{key}=...")
    return _call(cls, prefix, **arguments)


def _target(group: str, target: Any, kind: Any) -> type:
    """Return the class of a ``_target_``: of the kind its group asks for, and from mlp only."""
    module, _, name = str(target).rpartition(".")
    if module.split(".")[0] == "mlp":
        try:
            found = getattr(import_module(module), name)
        except (ImportError, AttributeError):
            found = None
        if isinstance(found, type) and issubclass(found, kind) and not isabstract(found):
            return found
    kinds = " or ".join(k.__name__ for k in get_args(kind) or (kind,))
    raise ConfigError(
        f"{group}._target_ must name a class under mlp. of the kind {kinds}, got {_shown(target)}"
    )


def _refuse_unknown(keys: Iterable[str], known: Iterable[str], prefix: str = "") -> None:
    names = list(known)
    for key in keys:
        if key not in names:
            hint = closest(key, names) or f"; there are {', '.join(names) or 'none'}"
            raise ConfigError(f"unknown key '{prefix}{key}'{hint}")


def _check_types(cls: type, values: Mapping[str, Any], prefix: str = "") -> None:
    parameters = signature(cls, eval_str=True).parameters
    for key, value in values.items():
        hint = parameters[key].annotation
        if not _fits(value, hint):
            raise ConfigError(f"{prefix}{key} must be {_described(hint)}, got {_shown(value)}")


def _call(cls: type, prefix: str = "", /, **arguments: Any) -> Any:
    """Construct; a constructor's ValueError begins with the field's name."""
    try:
        return cls(**arguments)
    except ValueError as error:
        raise ConfigError(f"{prefix}{error}") from None


def _fits(value: Any, hint: Any) -> bool:
    """Tell whether a value is of the annotated type; an int passes for a float, a bool does not."""
    from pydantic import ValidationError

    try:
        _adapter(hint).validate_python(value, strict=True)
    except ValidationError:
        return False
    return True


@cache
def _adapter(hint: Any) -> Any:
    from pydantic import TypeAdapter

    return TypeAdapter(hint)


_WORDS = {
    int: "an int",
    float: "a number",
    str: "a string",
    bool: "true or false",
    NoneType: "null",
}


def _described(hint: Any) -> str:
    """Say an annotation in words: ``int | None`` is "an int or null"."""
    if get_origin(hint) in (Union, UnionType):
        return " or ".join(_described(option) for option in get_args(hint))
    if get_origin(hint) is Literal:
        return " or ".join(map(str, get_args(hint)))
    if hint in _WORDS:
        return _WORDS[hint]
    collection = "a mapping" if get_origin(hint) is dict else "a list"
    value = get_args(hint)[-1]
    return collection if value is Any else f"{collection}, each value {_described(value)}"


def _shown(value: Any) -> str:
    """Show a value as it was written, and not for pages."""
    text = {"None": "null", "True": "true", "False": "false"}.get(repr(value), repr(value))
    return text if len(text) <= 80 else f"{text[:77]}..."
