"""The reference of every key, from the comments in conf/ and the annotations of the classes."""

import inspect
import types
from collections.abc import Iterator, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import yaml

from mlp.config import conf_dir, read_choice

DEFAULTS = yaml.safe_load((conf_dir() / "config.yaml").read_text(encoding="utf-8"))
CHOSEN = {
    k.removeprefix("override "): v
    for d in DEFAULTS["defaults"][:-1]
    if isinstance(d, dict)
    for k, v in d.items()
}
GROUPS = [name for name in CHOSEN if "/" not in name and name not in ("experiment", "debug")]
WORDS = {int: "integer", float: "number", bool: "`true`, `false`", str: "text", Path: "path"}
DOCUMENTED = ("mlp.nn.", "mlp.data.", "mlp.training.")


def groups() -> str:
    """Return a section for each group, with its choices and their keys."""
    top = {key: value for key, value in DEFAULTS.items() if key not in ("defaults", "hydra")}
    comments = read_choice(conf_dir() / "config.yaml").comments
    lines = ["## Keys of no group", "", *_table("", top, comments, {}), ""]
    for group in GROUPS:
        lines += [f"## {group}", ""]
        for path in sorted((conf_dir() / group).glob("*.yaml")):
            lines += _choice(group, path)
    return "\n".join([*lines, "## hydra/launcher", "", *_files("hydra/launcher")])


def presets() -> str:
    """Return each preset as its file is."""
    return "\n".join([*_files("experiment"), *_files("debug")])


def _files(group: str) -> Iterator[str]:
    """Yield a section for each choice, with its file as it is."""
    for path in sorted((conf_dir() / group).glob("*.yaml")):
        text = path.read_text(encoding="utf-8").removeprefix("# @package _global_\n")
        yield from (f"### {path.stem}", "", "```yaml", text.rstrip(), "```", "")


def _choice(group: str, path: Path) -> Iterator[str]:
    choice, values = read_choice(path), _values(path)
    is_default = " (default)" if CHOSEN.get(group) == path.stem else ""
    yield from (f"### {group}={path.stem}{is_default} {{ #{group}-{path.stem} }}", "")
    yield from (choice.summary, "")
    target = values.pop("_target_", None)
    if target and target.startswith(DOCUMENTED):
        yield from (f"Class: [`{target}`][{target}]", "")
    hints = _hints(target) if target else {}
    yield from (*_table(f"{group}.", values, choice.comments, hints), "")


def _values(path: Path) -> dict[str, Any]:
    """Return the keys of a choice, those of the choices it builds on first."""
    own = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    values: dict[str, Any] = {}
    for parent in own.pop("defaults", []):
        if isinstance(parent, str) and parent != "_self_":
            values |= _values(path.with_name(f"{parent}.yaml"))
    return values | own


def _hints(target: str) -> dict[str, Any]:
    """Return the annotations of what a class or function takes."""
    module, name = target.rsplit(".", 1)
    made = getattr(import_module(module), name)
    takes = inspect.signature(made).parameters
    places = [*reversed(inspect.getmro(made)), made.__init__] if inspect.isclass(made) else [made]
    hints: dict[str, Any] = {}
    for place in places:
        hints |= get_type_hints(place)
    return {key: hints[key] for key in takes if key in hints}


def _table(
    prefix: str, values: dict[str, Any], comments: dict[str, str], hints: dict[str, Any]
) -> Iterator[str]:
    if not values:
        return
    yield from ('<div class="keys" markdown="1">', "")
    yield from ("| key | default | |", "| --- | --- | --- |")
    for key, value in values.items():
        meaning = comments.get(key, "").replace("|", r"\|").replace("<", "&lt;")
        hint = hints.get(key)
        takes = "" if hint in WORDS else _in_words(hint)  # the default shows what it is
        takes = f'<br><span class="takes">{takes}</span>' if takes else ""
        yield f"| `{prefix}{key}` | `{_in_yaml(value)}` | {meaning}{takes} |"
    yield from ("", "</div>")


def _in_words(hint: Any) -> str:
    """Return what an annotation allows."""
    origin, inner = get_origin(hint), get_args(hint)
    if origin is Literal:
        return ", ".join(f"`{value}`" for value in inner)
    if origin in (Union, types.UnionType):
        words = [_in_words(part) for part in inner if part is not type(None)]
        words += ["`null`"] if type(None) in inner else []
        return " or ".join(dict.fromkeys(filter(None, words)))
    if inspect.isclass(origin) and issubclass(origin, Sequence):
        return f"list of {_in_words(inner[0])}s"
    return WORDS.get(hint, "")


def _in_yaml(value: Any) -> str:
    text: str = yaml.safe_dump(value, default_flow_style=True, width=1000)
    return text.removesuffix("...\n").strip()
