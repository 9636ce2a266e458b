"""Check a mapping with a ``_target_`` against its class, and let Hydra make the object.

The signature of a class says which keys there are and of which types; the constructor itself checks
the ranges. Nothing is called before its class, its keys and their types have been checked.
"""

from collections.abc import Callable, Mapping
from functools import cache
from inspect import signature
from typing import Any, TypeVar

from hydra.errors import InstantiationException
from hydra.utils import instantiate
from omegaconf.errors import OmegaConfBaseException
from pydantic import BaseModel, ConfigDict, PydanticUserError, ValidationError, create_model

from mlp.base import ConfigError
from mlp.config.messages import first_line, shown, unknown_key
from mlp.config.targets import check_targets, find_class

T = TypeVar("T")
STRICT = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False, arbitrary_types_allowed=True)


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


def construct(cls: type[T], arguments: Mapping[str, Any], key: str) -> T:
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
        _model(cls, built).model_validate(arguments)
    except ValidationError as error:
        raise _explain(cls, arguments, key, error) from None
    except (NameError, PydanticUserError) as error:  # in a class of the user's
        reason = first_line(error)
        raise ConfigError(f"{key}: the types of {cls.__name__} cannot be read: {reason}") from None


def _check_node(key: str, node: Any, kind: Any) -> None:
    if not _is_node(node):
        raise ConfigError(f"{key} must be one of its choices, as in {key}=..., got {shown(node)}")
    if "${" in repr(node):  # Hydra would resolve it once more, after the check
        raise ConfigError(f"{key}: '${{' is left in a value, where it stands for another one")
    cls = find_class(f"{key}._target_", node["_target_"], kind)
    arguments = {name: value for name, value in node.items() if name != "_target_"}
    named = signature(cls).parameters
    nodes = frozenset(key for key, value in arguments.items() if key in named and _is_node(value))
    check_arguments(cls, arguments, key, nodes)
    for name, value in arguments.items():
        if name in nodes:
            kind = signature(cls, eval_str=True).parameters[name].annotation
            _check_node(f"{key}.{name}", value, kind)
        else:
            check_targets(f"{key}.{name}", value)


def _is_node(value: Any) -> bool:
    return isinstance(value, dict) and "_target_" in value


def _make(make: Callable[[], T], key: str) -> T:
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
def _model(cls: type, untyped: frozenset[str]) -> type[BaseModel]:
    """Return a model whose fields are the parameters of a constructor."""
    fields: dict[str, Any] = {}
    config = STRICT.copy()
    for name, parameter in signature(cls, eval_str=True).parameters.items():
        if parameter.kind == parameter.VAR_KEYWORD:
            config["extra"] = "allow"
        elif parameter.kind != parameter.VAR_POSITIONAL:
            is_typed = parameter.annotation is not parameter.empty and name not in untyped
            default = ... if parameter.default is parameter.empty else parameter.default
            fields[name] = (parameter.annotation if is_typed else Any, default)
    return create_model(cls.__name__, __config__=config, **fields)


def _explain(
    cls: type, arguments: Mapping[str, Any], key: str, error: ValidationError
) -> ConfigError:
    """Return what pydantic found wrong first as one sentence."""
    errors = error.errors(include_url=False, include_context=False)
    first = next((e for e in errors if e["type"] == "extra_forbidden"), errors[0])
    name = f"{key}.{first['loc'][0]}".lstrip(".")
    if first["type"] == "extra_forbidden":
        refusal = unknown_key(name, {k: arguments.get(k) for k in signature(cls).parameters})
        if cls.__module__.startswith("mlp."):
            return refusal
        # with `optimizer._target_=mine.Sign` alone, the keys of the chosen file are left
        file = f"conf/{key.partition('.')[0]}/{cls.__name__.lower()}.yaml"
        return ConfigError(
            f"{refusal}; if you did not type it, it is of the file that {key}= chooses: {file} of "
            f"your own, with the keys of {cls.__name__}, takes its place"
        )
    if first["type"] == "missing":
        return ConfigError(f"{name} must be given, as in {name}=...")
    # a union is wrong in several ways: those at the deepest place say what is meant
    wrong = [e for e in errors if e["loc"][0] == first["loc"][0]]
    places = ["".join(f"[{i}]" for i in e["loc"][1:] if isinstance(i, int)) for e in wrong]
    place = max(places, key=len)
    wrong = [e for e, there in zip(wrong, places, strict=True) if there == place]
    wanted = [e["msg"].removeprefix("Input should be ") for e in wrong]
    got = shown(wrong[0]["input"])
    words = " or ".join(dict.fromkeys(wanted)).replace("an instance of Sequence", "a valid list")
    if words == "a valid list":
        words = f"a list, as in [{got}]"
    return ConfigError(f"{name}{place} must be {words}, got {got}")
