"""From the words on a command line to one configuration.

Hydra composes it from conf/. What Hydra complains about is said again in this project's way: one
sentence that names the key and what would be right.
"""

import re
from collections.abc import Sequence
from pathlib import Path

from hydra.errors import HydraException, MissingConfigException, OverrideParseException
from omegaconf import DictConfig
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError

from mlp.errors import ConfigError, closest

COMPOSITION_ERRORS = (HydraException, OmegaConfBaseException, YAMLError, ValueError)


def conf_dir() -> Path:
    """Return the folder of the YAML files: in the package of a wheel, beside that of a checkout."""
    package = Path(__file__).resolve().parent
    installed = package / "conf"
    return installed if installed.is_dir() else package.parent / "conf"


def compose(overrides: Sequence[str] = ()) -> DictConfig:
    """Return the configuration that ``mlp-run`` would make of these overrides.

    Raises
    ------
    ConfigError
        For what Hydra cannot compose; the values are not checked yet (see `mlp.config.check`).
    """
    import hydra

    refuse_hydra_keys(overrides)
    with hydra.initialize_config_dir(str(conf_dir()), version_base="1.3"):
        try:
            return hydra.compose("config", list(overrides))
        except COMPOSITION_ERRORS as error:
            raise explain(error, overrides) from None


def refuse_hydra_keys(overrides: Sequence[str]) -> None:
    """Raise ConfigError for an override of Hydra's own settings.

    They say which folders Hydra makes and which objects it calls; a run's folder is ours.
    """
    for override in overrides:
        if re.match(r"[+~\s]*hydra\s*([.=@]|$)", override):
            raise ConfigError(
                f"'{_short(override)}' is not for you to set: a run's folder is made in runs/ "
                "(or where MLP_RUNS says), and the rest of Hydra stays as it is"
            )


def explain(error: Exception, overrides: Sequence[str]) -> ConfigError:
    """Return Hydra's complaint about some overrides as one sentence.

    A key that does not exist is composed in by force, so that the check finds it: it says the same
    about a misspelt key wherever that was written.
    """
    message = str(error)
    if isinstance(error, MissingConfigException) and error.missing_cfg_file:
        group, _, choice = error.missing_cfg_file.rpartition("/")
        if error.options:
            return ConfigError(
                f"{group} has no choice '{_short(choice)}'{closest(choice, error.options)} "
                f"(choices: {', '.join(error.options)})"
            )
    if isinstance(error, OverrideParseException):
        return ConfigError(
            f"'{_short(error.override)}' is not of the form key=value ({_first_line(message)}); "
            "lists, spaces and brackets need quotes in a shell: 'model.hidden_sizes=[300,100]'"
        )
    if unknown := re.match(r"Could not override '(.+)'", message):
        forced = [f"++{o}" if o.split("=")[0] == unknown[1] else o for o in overrides]
        from mlp.config import check

        if forced != list(overrides):
            try:
                check(compose(forced))
            except ConfigError as found:
                return found
    cause = f": {_first_line(str(error.__cause__))}" if error.__cause__ else ""
    return ConfigError(_first_line(message) + cause)


def _first_line(text: str) -> str:
    return next((line.strip() for line in text.splitlines() if line.strip()), "no reason given")


def _short(text: str) -> str:
    return text if len(text) <= 80 else f"{text[:77]}..."
