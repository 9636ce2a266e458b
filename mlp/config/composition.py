"""Hydra composes a configuration from conf/ and the words of a command line."""

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import hydra
import yaml
from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import (
    ChoiceSweep,
    Override,
    OverrideType,
    Quote,
    QuotedString,
)
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf, open_dict

from mlp.base import ConfigError
from mlp.config.hydra_settings import check_settings
from mlp.config.messages import explained, short, with_quotes

MAX_ALIASES = 8  # in a file: each may double the size of its content


def conf_dir() -> Path:
    """Return the folder of the YAML files: in the package of a wheel, beside that of a checkout."""
    package = Path(__file__).resolve().parent.parent
    installed = package / "conf"
    return installed if installed.is_dir() else package.parent / "conf"


def own_conf() -> str | None:
    """Return ``conf/`` of the current folder, if the user has one."""
    folder = Path.cwd() / "conf"
    return str(folder) if folder.is_dir() and folder.resolve() != conf_dir() else None


def config_places(hydra: Any) -> list[str]:
    """Return the words of a command line that said where other YAML files are."""
    sources, name = hydra.runtime.config_sources, hydra.job.config_name
    added = [source.path for source in sources if source.provider == "command-line"]
    words = [f"--config-dir={path}" for path in added if path != own_conf()]
    words += [] if name == "config" else [f"--config-name={name}"]
    return words + [word for word in hydra.overrides.hydra if "hydra.searchpath" in word]


def compose(
    words: Sequence[str] = (),
    *,
    multirun: bool = False,
    folder: str | None = None,
    name: str = "config",
    added: str | None = None,
) -> DictConfig:
    """Return the configuration that ``mlp run`` would make of these words.

    Parameters
    ----------
    words : sequence of str
        Overrides in Hydra's grammar.
    multirun : bool
        Whether a word may give several values.
    folder, name, added : str, optional
        As ``--config-path``, ``--config-name`` and ``--config-dir`` of the command line; the last
        is ``conf/`` of the current folder if there is one.

    Raises
    ------
    ConfigError
        For what Hydra cannot compose or mlp does not allow; values are checked later, by `check`.
    """
    with explained(words):
        config = load(words, folder, name, added)
        check_settings(config.hydra)
        if not (multirun or config.hydra.mode == RunMode.MULTIRUN):
            _refuse_several_values(OverridesParser.create().parse_overrides(with_new_keys(words)))
        with open_dict(config):
            del config["hydra"]
    return config


def load(words: Sequence[str], folder: str | None, name: str, added: str | None) -> DictConfig:
    """Return what Hydra makes of these words, with its own settings; arguments as of `compose`."""
    with explained(words):
        words = with_new_keys(words)
        overrides = OverridesParser.create().parse_overrides(words)
        _check_choices(overrides)
        added = added or own_conf()
        main, others = str(folder or conf_dir()), [added] if added else []
        if added and not Path(main, f"{name}.yaml").is_file():  # Hydra looks for it in the main one
            main, others = added, [main]
        paths = [f"file://{Path(path).absolute()}" for path in others] + _search_paths(overrides)
        if others:
            quoted = (QuotedString(path, Quote.single).with_quotes() for path in paths)
            words = [f"hydra.searchpath=[{','.join(quoted)}]", *words]
        for path in (main, *paths):
            _refuse_aliases(Path(path.removeprefix("file://")))
        with hydra.initialize_config_dir(str(Path(main).absolute()), version_base="1.3"):
            loader = GlobalHydra.instance().config_loader()
            return loader.load_configuration(name, words, RunMode.MULTIRUN)


def with_new_keys(words: Sequence[str]) -> list[str]:
    """Return the words for Hydra, with which tags and callbacks may have new keys."""
    new = ("tags.", "tags={", "callbacks.")
    return [f"++{word}" if word.startswith(new) else word for word in words]


def changed(config: Mapping[str, Any], words: Sequence[str]) -> dict[str, Any]:
    """Return a stored configuration with some keys changed; ``data=npz`` replaces a whole group.

    Raises
    ------
    ConfigError
        For words that are no overrides, or a choice that does not exist; the keys and values are
        not checked yet.
    """
    with explained(words):
        new = OmegaConf.create(dict(config))
        overrides = OverridesParser.create().parse_overrides(list(words))
        _check_choices(overrides)
        _refuse_several_values(overrides)
        for override in overrides:
            key, value = override.key_or_group, override.value()
            if _is_group(key) and key not in new:
                raise ConfigError(
                    f"'{short(override.input_line or '')}' is for a new run, and this one is stored"
                )
            if _is_group(key):
                new[key] = compose([f"{key}={value}"])[key]
            else:
                OmegaConf.update(new, key, value, force_add=True)
        return cast(dict[str, Any], OmegaConf.to_container(new))


def _check_choices(overrides: Iterable[Override]) -> None:
    """Refuse what Hydra accepts silently: two choices for a group, and deleted keys."""
    chosen = set()
    for override in overrides:
        key, word = override.key_or_group, short(override.input_line or "")
        if override.is_delete() and not key.startswith(("hydra", "tags.")):
            raise ConfigError(f"'{word}': a run needs every key; say what it is to be, {key}=...")
        if not _is_group(key):
            continue
        if isinstance(override.value(), list | None):
            raise ConfigError(f"'{word}': {key} takes one choice; with -m, {key}=a,b runs each")
        if key in chosen or override.type != OverrideType.CHANGE:
            raise ConfigError(f"{key} is chosen twice: say {key}=... once, without a +")
        chosen.add(key)


def _refuse_several_values(overrides: Iterable[Override]) -> None:
    for override in overrides:
        if override.is_sweep_override():
            word, sweep = override.input_line or "", override.value()
            texts = isinstance(sweep, ChoiceSweep) and any(isinstance(v, str) for v in sweep.list)
            is_choice = _is_group(override.key_or_group)
            quotes = f", or quotes for one: {with_quotes(word)}" if texts and not is_choice else ""
            raise ConfigError(
                f"'{short(word)}' gives several values: add -m to run each of them{quotes}"
            )


def _is_group(key: str) -> bool:
    """Tell whether a key is a group of conf/, each of which has a choice already."""
    return os.path.isdir(conf_dir() / key)


def _search_paths(overrides: Iterable[Override]) -> list[str]:
    values = [o.value() for o in overrides if o.key_or_group == "hydra.searchpath"]
    return [str(path) for value in values if isinstance(value, list) for path in value]


def _refuse_aliases(folder: Path) -> None:
    """Refuse YAML files that would fill the memory: Hydra writes out each alias anew."""
    for path in (path for depth in ("", "*/", "*/*/") for path in folder.glob(f"{depth}*.yaml")):
        if not path.is_file():
            continue
        text = path.read_text(encoding="utf-8", errors="replace")
        events = yaml.parse(text, yaml.SafeLoader) if text.count("*") > MAX_ALIASES else ()
        if sum(isinstance(event, yaml.AliasEvent) for event in events) > MAX_ALIASES:
            raise ConfigError(
                f"{path} has more than {MAX_ALIASES} aliases, which may grow to any size"
            )
