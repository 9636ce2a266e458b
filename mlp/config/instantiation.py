"""Check a mapping with a ``_target_`` against its class, and let Hydra make the object.

The signature of a class says which keys there are and of which types; the constructor itself checks
the ranges. Nothing is called before its class, its keys and their types have been found right.
"""

from collections.abc import Callable, Mapping
from functools import cache
from inspect import Parameter, signature
from typing import Any, Literal, NotRequired

from hydra.errors import InstantiationException
from hydra.utils import instantiate
from omegaconf.errors import OmegaConfBaseException
from pydantic import ConfigDict, PydanticUserError, TypeAdapter, ValidationError
from typing_extensions import TypedDict

from mlp.base import ConfigError
from mlp.config.messages import first_line, shown, unknown_key
from mlp.config.targets import check_targets, find_class

WORDS = {  # of YAML, for those of pydantic
    "a valid boolean": "true or false",
    "a valid dictionary": "a mapping",
    "a valid integer": "an integer",
    "a valid list": "a list",
    "a valid number": "a number",
    "a valid string": "a string",
    "an instance of Sequence": "a list",
}


def build(key: str, node: Any, kind: Any) -> Any:
    """Return the object that a node of the configuration describes.

    Parameters
    ----------
    key : str
        Where the node is: it begins the keys in messages.
    node : dict
        ``_target_`` and the arguments of its constructor, among them further nodes.
    kind : type
        The class of which the ``_target_`` must be a subclass, or a union of such classes.

    Raises
    ------
    ConfigError
        For the first key that is unknown, missing, of a wrong type or out of range.
    """
    _check_node(key, node, kind)
    return _make(lambda: instantiate(node | {"_convert_": "all"}), key)


def construct(cls: type, arguments: Mapping[str, Any], key: str) -> Any:
    """Return ``cls(**arguments)``, checked in the same way; ConfigError if it cannot be made."""
    check_arguments(cls, arguments, key)
    return _make(lambda: cls(**arguments), key)


def check_arguments(
    cls: type, arguments: Mapping[str, Any], key: str = "", built: frozenset[str] = frozenset()
) -> None:
    """Raise ConfigError for the first argument that a constructor does not take.

    Parameters
    ----------
    cls : type
    arguments : mapping
    key : str
        Where they are in the configuration.
    built : frozenset of str
        Names of arguments whose types are not looked at.
    """
    try:
        _adapter(cls, built).validate_python(dict(arguments))
    except ValidationError as error:
        raise _explain(cls, arguments, key, error) from None
    except (NameError, PydanticUserError) as error:  # in a class of the user's
        reason = first_line(error)
        raise ConfigError(f"{key}: the types of {cls.__name__} cannot be read: {reason}") from None


def _check_node(key: str, node: Any, kind: Any) -> None:
    if not _is_node(node):
        raise ConfigError(f"{key} must be one of its choices, as in {key}=..., got {shown(node)}")
    cls = find_class(f"{key}._target_", node["_target_"], kind)
    arguments = {name: value for name, value in node.items() if name != "_target_"}
    nodes = frozenset(name for name, value in arguments.items() if _is_node(value))
    check_arguments(cls, arguments, key, nodes)
    for name, value in arguments.items():
        if name in nodes:
            kind = signature(cls, eval_str=True).parameters[name].annotation
            _check_node(f"{key}.{name}", value, kind)
        else:
            check_targets(f"{key}.{name}", value)


def _is_node(value: Any) -> bool:
    return isinstance(value, dict) and "_target_" in value


def _make(make: Callable[[], Any], key: str) -> Any:
    """Make an object; a constructor's ValueError begins with the field's name."""
    try:
        return make()
    except (InstantiationException, OmegaConfBaseException, ValueError) as error:
        cause = error.__cause__ if isinstance(error, InstantiationException) else error
        if isinstance(cause, ConfigError):
            raise cause from None
        if isinstance(cause, ValueError):
            raise ConfigError(f"{key}.{cause}") from None
        raise ConfigError(f"{key} cannot be made: {first_line(cause or error)}") from error


@cache
def _adapter(cls: type, untyped: frozenset[str]) -> TypeAdapter[Any]:
    """Return what checks the arguments of a constructor."""
    keys: dict[str, Any] = {}
    extra: Literal["forbid", "allow"] = "forbid"
    for name, parameter in signature(cls, eval_str=True).parameters.items():
        is_any = name in untyped or parameter.annotation is Parameter.empty
        annotation = Any if is_any else parameter.annotation
        if parameter.kind is Parameter.VAR_KEYWORD:
            extra = "allow"
        elif parameter.kind is not Parameter.VAR_POSITIONAL:
            required = parameter.default is Parameter.empty
            keys[name] = annotation if required else NotRequired[annotation]
    arguments = TypedDict(cls.__name__, keys)  # type: ignore[misc]
    arguments.__pydantic_config__ = ConfigDict(  # type: ignore[attr-defined]
        extra=extra, strict=True, allow_inf_nan=False, arbitrary_types_allowed=True
    )
    return TypeAdapter(arguments)


def _explain(
    cls: type, arguments: Mapping[str, Any], key: str, error: ValidationError
) -> ConfigError:
    """Return what pydantic found wrong as one sentence, about one place."""
    wrong = error.errors(include_url=False, include_context=False)
    for problem in sorted(wrong, key=lambda problem: problem["type"] != "extra_forbidden"):
        name = ".".join(filter(None, [key, str(problem["loc"][0])]))
        if problem["type"] == "extra_forbidden":
            return unknown_key(name, {k: arguments.get(k) for k in signature(cls).parameters})
        if problem["type"] == "missing":
            return ConfigError(f"{name} must be given, as in {name}=...")
    places = [_place(key, arguments, problem["loc"]) for problem in wrong]
    place = max(places[:1] + [p for p in places if p.startswith(places[0])], key=len)
    here = [problem for problem, p in zip(wrong, places, strict=True) if p == place]
    wants = [problem["msg"].removeprefix("Input should be ") for problem in here]
    wants = [WORDS.get(want, want) for want in wants]
    value = here[0]["input"]
    return ConfigError(f"{place} must be {' or '.join(dict.fromkeys(wants))}, got {shown(value)}")


def _place(key: str, value: Any, loc: tuple[int | str, ...]) -> str:
    """Return the key of a wrong value: ``model.hidden_sizes[1]``."""
    for part in loc:  # some name a type of a union, not a place
        if isinstance(value, Mapping) and part in value:
            key, value = f"{key}.{part}" if key else str(part), value[part]
        elif isinstance(value, list) and isinstance(part, int):
            key, value = f"{key}[{part}]", value[part]
    return key
