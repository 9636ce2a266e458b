"""The classes that a configuration may name: only those of an expected kind are ever called."""

from collections.abc import Collection, Iterable, Mapping
from types import UnionType
from typing import Any, Union, get_args, get_origin

from mlp.base import ConfigError, import_class
from mlp.config.messages import shown


def find_class(key: str, target: Any, kind: Any) -> type:
    """Import the class that ``target`` names, and return it.

    Parameters
    ----------
    key : str
        Of the target, for messages.
    target : str
        As in ``"mlp.nn.Adam"``; it may be the user's own.
    kind : type
        The class of which it must be a subclass, or a union of such classes.

    Raises
    ------
    ConfigError
        Unless there is such a class, of that kind, which is not abstract.
    """
    kinds = get_args(kind) if get_origin(kind) in (Union, UnionType) else (kind,)
    kinds = tuple(k for k in kinds if isinstance(k, type) and k.__module__ != "builtins")
    if not kinds:
        raise ConfigError(f"{key} is not expected here, got {shown(target)}")
    try:
        return import_class(str(target), *kinds)
    except ValueError as error:
        raise ConfigError(f"{key} {error}") from None


def check_targets(
    key: str, value: Any, kind: Any = None, names: Collection[str] = ("_target_",)
) -> None:
    """Raise ConfigError for a class, at any depth of a value, that is not of a kind.

    Parameters
    ----------
    key : str
        Of the value, for messages.
    value : object
    kind : type, optional
        As in `find_class`; by default there may be none.
    names : collection of str
        The keys that name classes.
    """
    items: Iterable[tuple[Any, Any]] = enumerate(value) if isinstance(value, list) else ()
    if isinstance(value, Mapping):
        items = value.items()
    for name, item in items:
        if name in names:
            find_class(f"{key}.{name}", item, kind)
        check_targets(f"{key}.{name}", item, kind, names)
