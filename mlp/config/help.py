"""The text of ``mlp run --help``: groups and keys, with the comments of the YAML files."""

import re
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from shutil import get_terminal_size
from typing import Any, NamedTuple

import yaml
from omegaconf import OmegaConf

from mlp.config.command_line import parse
from mlp.config.composition import load

INTRODUCTION = """\
usage: mlp run [-m] [GROUP=CHOICE ...] [KEY=VALUE ...]

Train, evaluate and track a multilayer perceptron.

  mlp run                                    train with the defaults
  mlp run optimizer=sgd optimizer.lr=0.1     choose within a group, set a key
  mlp run experiment=mnist                   start from a preset
  mlp run -m optimizer.lr=0.001,0.003        a run for each value; of several keys, each combination
  mlp run optimizer=sgd --help               this page for other choices
  mlp run resume=latest                      go on with an interrupted run

  --cfg job      show the composed configuration
  --info         show where it comes from
  --hydra-help   Hydra's own flags
"""
KEY = re.compile(r"([A-Za-z]\w*):\s*(.*?)(?:\s*#\s+(.*))?")
MORE = re.compile(r"\s+#\s+(.*)")  # a comment that goes on in the next line
LONGEST = 100  # characters of a line, at most


class Choice(NamedTuple):
    """What a YAML file says in its comments: about itself, and about each key."""

    summary: str
    comments: dict[str, str]


def run_help(words: Sequence[str]) -> str:
    """Return the help for a command line of ``mlp run``.

    Raises
    ------
    UserError
        When Hydra cannot compose the words.
    """
    flags = parse(words)
    config = load(flags.overrides, flags.config_path, flags.config_name, flags.config_dir)
    chosen = config.hydra.runtime.choices
    folders = [
        Path(source.path.removeprefix("file://"))
        for source in config.hydra.runtime.config_sources
        if source.schema == "file"
    ]
    plain: Any = OmegaConf.to_container(config, resolve=False)
    plain.pop("hydra")
    groups = {group: name for group, name in chosen.items() if not group.startswith("hydra/")}
    lines = [INTRODUCTION, "Groups, with the choice that is taken and its keys:"]
    for group in sorted(groups):
        lines += ["", *_group(group, groups[group], plain.get(group), folders)]
    top = {key: value for key, value in plain.items() if key not in groups}
    comments = read_choice(_file(folders, "config")).comments
    return "\n".join([*lines, "", "Keys of no group:", "", *_keys("", top, comments)])


def read_choice(path: Path) -> Choice:
    """Return the comments of a YAML file, and those of the choices it builds on for other keys."""
    text = path.read_text(encoding="utf-8")
    comments: dict[str, str] = {}
    for name in re.findall(r"^  - (\w+)$", text, re.MULTILINE):
        if (parent := path.with_name(f"{name}.yaml")).is_file():
            comments |= read_choice(parent).comments
    key = None
    for line in text.splitlines():
        if found := KEY.fullmatch(line):
            key = found[1]
            comments[key] = found[3] or comments.get(key, "")
        elif key and (found := MORE.fullmatch(line)):
            comments[key] += f" {found[1]}"
        else:
            key = None
    return Choice(_summary(text), comments)


def _summary(text: str) -> str:
    """Return the first sentence of a file's first paragraph that is no command."""
    header = re.match(r"(#.*\n)*", text)
    lines = [line[1:].strip() for line in (header[0] if header else "").splitlines()]
    prose = [
        line
        for line in lines
        if not line.startswith(("@package", "mlp run ", "python -m mlp.run "))
    ]
    paragraph = " ".join(prose).strip()
    return re.split(r"(?<=\.)\s(?=[A-Z])", paragraph, maxsplit=1)[0]


def _group(group: str, name: str | None, values: Any, folders: Sequence[Path]) -> Iterator[str]:
    others = {path.stem for folder in folders for path in (folder / group).glob("*.yaml")}
    choice = Choice("", {})
    if name:
        choice = read_choice(_file(folders, f"{group}/{name}"))
    yield from _wrapped(f"{group}={name or 'null'}  ", choice.summary, "")
    yield from _wrapped("choices: ", " ".join(sorted(others)), "    ")
    if isinstance(values, Mapping):
        yield from _keys(f"{group}.", values, choice.comments)


def _keys(prefix: str, values: Mapping[str, Any], comments: Mapping[str, str]) -> Iterator[str]:
    rows = {f"{prefix}{key}": _in_yaml(v) for key, v in values.items() if key != "_target_"}
    width = max(map(len, rows), default=0)
    for key, value in rows.items():
        comment = comments.get(key.removeprefix(prefix), "")
        yield from _wrapped(f"{key:<{width}}  {value:<12}  ", comment, "    ")


def _in_yaml(value: Any) -> str:
    text: str = yaml.safe_dump(value, default_flow_style=True, width=1000)
    return text.removesuffix("...\n").strip()


def _wrapped(start: str, text: str, margin: str) -> list[str]:
    """Return lines that fit the terminal, ``text`` beneath itself."""
    indent = margin + " " * len(start)
    width = max(min(get_terminal_size().columns, LONGEST), len(indent) + 24)
    return textwrap.wrap(
        text,
        width,
        initial_indent=margin + start,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    ) or [(margin + start).rstrip()]


def _file(folders: Sequence[Path], name: str) -> Path:
    """Return the file of a choice: of mlp's own if there are two."""
    return next(path for folder in folders if (path := folder / f"{name}.yaml").is_file())
