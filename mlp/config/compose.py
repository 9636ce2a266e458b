"""From the words on a command line to one configuration.

Hydra composes it from conf/. What Hydra complains about is said again in this project's way: one
sentence that names the key and what would be right.
"""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException, MissingConfigException, OverrideParseException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError

from mlp.base import ConfigError, closest
from mlp.config.guard import guard_hydra

COMPOSITION_ERRORS = (HydraException, OmegaConfBaseException, YAMLError, ValueError)


def conf_dir() -> Path:
    """Return the folder of the YAML files: in the package of a wheel, beside that of a checkout."""
    package = Path(__file__).resolve().parent.parent
    installed = package / "conf"
    return installed if installed.is_dir() else package.parent / "conf"


def compose(overrides: Sequence[str] = ()) -> DictConfig:
    """Return the configuration that ``mlp-run`` would make of these overrides.

    Raises
    ------
    ConfigError
        For what Hydra cannot compose; the values are not checked yet (see `check`).
    """
    import hydra

    guard_hydra()
    overrides = accepted(overrides)
    try:
        with hydra.initialize_config_dir(str(conf_dir()), version_base="1.3"):
            return hydra.compose("config", overrides)
    except COMPOSITION_ERRORS as error:
        raise explain(error, overrides) from None


def changed(config: Mapping[str, Any], overrides: Sequence[str]) -> dict[str, Any]:
    """Return a stored configuration with some keys changed; ``data=npz`` replaces a whole group.

    Raises
    ------
    ConfigError
        For words that are no overrides, or a choice that does not exist; the keys and values are
        not checked yet.
    """
    new = OmegaConf.create(dict(config))
    try:
        for override in OverridesParser.create().parse_overrides(accepted(overrides)):
            key, value = override.key_or_group, override.value()
            if isinstance(value, str) and (conf_dir() / key).is_dir():
                new[key] = compose([f"{key}={value}"])[key]
            else:
                OmegaConf.update(new, key, value, force_add=True)
    except COMPOSITION_ERRORS as error:
        raise explain(error, overrides) from None
    return cast(dict[str, Any], OmegaConf.to_container(new))


def accepted(arguments: Sequence[str]) -> list[str]:
    """Return a command line's words as Hydra is to have them; ``tags.x=`` may add a key.

    Raises
    ------
    ConfigError
        For a setting of Hydra's own but a sweep's launcher. They say which folders Hydra makes and
        which objects it calls; a run's folder is ours to make.
    """
    for argument in arguments:
        launcher = re.match(r"\+*hydra(/launcher=|\.launcher\.)", argument)
        if re.match(r"[+~\s]*hydra\s*([.=@/]|$)", argument) and not launcher:
            raise ConfigError(
                f"'{_short(argument)}' cannot be set: Hydra's own settings are fixed here, and a "
                "run's folder is made in runs/ (MLP_RUNS moves them)"
            )
        if argument.startswith("--e"):
            raise ConfigError("--experimental-rerun would load a pickle; give the overrides again")
    return [f"++{a}" if a.startswith("tags.") else a for a in arguments]


def explain(error: Exception, overrides: Sequence[str]) -> ConfigError:
    """Return Hydra's complaint about some overrides as one sentence."""
    message = str(error)
    if isinstance(error, MissingConfigException) and error.missing_cfg_file and error.options:
        group, _, choice = error.missing_cfg_file.rpartition("/")
        hint, choices = closest(choice, error.options), ", ".join(error.options)
        return ConfigError(f"{group} has no choice '{_short(choice)}'{hint} (choices: {choices})")
    if isinstance(error, OverrideParseException):
        return ConfigError(
            f"'{_short(error.override)}' is not of the form key=value ({_first_line(message)}); "
            "lists, spaces and brackets need quotes in a shell: 'model.hidden_sizes=[300,100]'"
        )
    if several := re.match(r"(?:Ambiguous value for argument|Sweep parameters) '(.+?)'", message):
        return ConfigError(f"'{_short(several[1])}' gives several values: -m runs each of them")
    if twice := re.match(r"Multiple values for ([^.]+)", message):
        return ConfigError(f"{twice[1]} is chosen twice: say {twice[1]}=... once, without a +")
    if unknown := re.match(r"Could not override '(.+)'", message):
        return _unknown_key(unknown[1], overrides)
    cause = f": {_first_line(str(error.__cause__))}" if error.__cause__ else ""
    return ConfigError(f"{_first_line(message)}{cause} (in: {' '.join(map(_short, overrides))})")


def _unknown_key(key: str, overrides: Sequence[str]) -> ConfigError:
    """Return what the check says of a key, wherever it was written: here it is put in by force."""
    from mlp.config.job import check
    from mlp.config.sweep import read_settings

    words = [_one_value(override) for override in overrides]
    try:
        config = compose([f"++{word}" if word.split("=")[0] == key else word for word in words])
        check(config)
        read_settings(config)
    except ConfigError as error:
        return error
    return ConfigError(  # one of an axis' choices has it, and the default one has not
        f"'{key}' is not in the configuration that a sweep starts from: write {key}=choice(...)"
    )


def _one_value(override: str) -> str:
    """Return ``key=a`` for ``key=a,b``: in a sweep each value has the same key."""
    [parsed] = OverridesParser.create().parse_overrides([override])
    if not parsed.is_discrete_sweep():
        return override
    return f"{parsed.get_key_element()}={next(parsed.sweep_string_iterator())}"


def _first_line(text: str) -> str:
    return next((line.strip() for line in text.splitlines() if line.strip()), "no reason given")


def _short(text: str) -> str:
    return text if len(text) <= 80 else f"{text[:77]}..."
