"""What a configuration asks for that is not the default."""

import inspect
import re
from collections.abc import Mapping
from functools import cache
from typing import Any

import yaml

from mlp.base import import_class
from mlp.config.composition import conf_dir
from mlp.config.job import GROUPS, Job


def unusual_keys(config: Mapping[str, Any]) -> set[str]:
    """Return the dotted keys of a job's configuration with another value than the default.

    A group stands for its class: ``{"optimizer", "optimizer.lr"}`` of ``optimizer=sgd
    optimizer.lr=0.5``. Within a group, the default is that of the class that was chosen; a class
    that is gone has none.
    """
    usual, unusual = _usual_classes(), _changed("", Job, config)
    for group in GROUPS:
        node = config.get(group, {})
        if node.get("_target_") != usual[group]:
            unusual.add(group)
        try:
            constructor = import_class(str(node.get("_target_")), object)
        except ValueError:
            unusual |= {f"{group}.{key}" for key in node}
        else:
            unusual |= _changed(f"{group}.", constructor, node)
    for name, node in config.get("callbacks", {}).items():
        unusual |= {f"callbacks.{name}", *(f"callbacks.{name}.{key}" for key in node or ())}
    return unusual


def _changed(prefix: str, constructor: type, values: Mapping[str, Any]) -> set[str]:
    """Return the keys whose values are not what the constructor would take without them."""
    parameters = inspect.signature(constructor).parameters
    return {
        f"{prefix}{key}"
        for key, value in values.items()
        if key in parameters
        and key not in (*GROUPS, "callbacks")
        and not _same(value, parameters[key].default)
    }


def _same(value: Any, default: Any) -> bool:
    if default is inspect.Parameter.empty:
        return False
    if isinstance(value, list | dict):  # of a dataclass the default may be a factory
        return list(value) == (list(default) if isinstance(default, list | tuple) else [])
    return bool(value == default)


@cache
def _usual_classes() -> dict[str, str]:
    """Return the class of each group in a run without any word."""
    main = yaml.safe_load((conf_dir() / "config.yaml").read_text("utf-8"))
    chosen = {
        k: v for entry in main["defaults"] if isinstance(entry, dict) for k, v in entry.items()
    }
    texts = {
        group: (conf_dir() / group / f"{chosen[group]}.yaml").read_text("utf-8") for group in GROUPS
    }
    found = {
        group: re.search(r"^_target_: (\S+)", text, re.MULTILINE) for group, text in texts.items()
    }
    return {group: match[1] for group, match in found.items() if match}
