"""One-sentence messages for mistakes in a configuration, whoever finds them."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from shlex import quote
from typing import Any

from hydra.core.override_parser.types import Quote, QuotedString
from hydra.errors import HydraException, MissingConfigException, OverrideParseException
from omegaconf import OmegaConf
from omegaconf.errors import ConfigAttributeError, ConfigKeyError, OmegaConfBaseException
from yaml import YAMLError

from mlp.base import ConfigError, closest


@contextmanager
def explained(words: Sequence[str]) -> Iterator[None]:
    """Raise ConfigError in place of what Hydra raises when it cannot compose ``words``."""
    try:
        yield
    except RecursionError:
        raise ConfigError("a configuration file or a value is nested too deeply") from None
    except (HydraException, OmegaConfBaseException, YAMLError, ValueError, OSError) as error:
        raise _explain(error, words) from None


@contextmanager
def prefixed(key: str, advice: str = "") -> Iterator[None]:
    """Put a key in front of a ValueError, and make it a ConfigError."""
    try:
        yield
    except ValueError as error:
        raise ConfigError(f"{key}{error}{advice}") from None


def unknown_key(key: str, siblings: Mapping[str, Any]) -> ConfigError:
    """Return the error for a key that does not exist where ``siblings`` do."""
    name = key.rpartition(".")[2]
    names = [sibling for sibling in siblings if sibling not in (name, "_target_", "hydra")]
    groups = [n for n in names if isinstance(siblings[n], Mapping) and name in siblings[n]]
    if groups:
        hint = "; did you mean " + " or ".join(f"'{group}.{name}'" for group in groups) + "?"
    else:
        hint = closest(name, names) or (f"; there are {', '.join(names)}" if names else "")
    return ConfigError(f"unknown key '{short(key)}'{hint}")


def shown(value: Any) -> str:
    """Return a value as it was written, cut to a line."""
    return short({"None": "null", "True": "true", "False": "false"}.get(repr(value), repr(value)))


def with_quotes(word: str) -> str:
    """Return an override as a shell takes it, with quotes of Hydra's around its value."""
    key, _, value = word.partition("=")
    return quote(f"{key}={QuotedString(value, Quote.double).with_quotes()}")


def short(text: str) -> str:
    """Return a text cut to a line."""
    return text if len(text) <= 80 else f"{text[:77]}..."


def first_line(error: object) -> str:
    """Return the first line of a message that has something in it."""
    return next((line.strip() for line in str(error).splitlines() if line.strip()), "no reason")


def _explain(error: Exception, words: Sequence[str]) -> ConfigError:
    cause = error.__cause__
    if isinstance(error, MissingConfigException) and error.missing_cfg_file and error.options:
        group, _, choice = error.missing_cfg_file.rpartition("/")
        hint, choices = closest(choice, error.options), ", ".join(error.options)
        return ConfigError(f"{group} has no choice '{short(choice)}'{hint} (choices: {choices})")
    if isinstance(error, OverrideParseException):
        word = next((w for w in words if error.override.endswith(w)), error.override)
        value = word.partition("=")[2]
        if value and value[0] not in "[{('\"":
            return ConfigError(
                f"'{short(word)}': a text with such a character needs quotes of its own: "
                f"{with_quotes(word)}"
            )
        return ConfigError(
            f"'{short(word)}' is not of the form key=value ({first_line(error)}); "
            "lists, spaces and brackets need quotes in a shell: 'model.hidden_sizes=[300,100]'"
        )
    if isinstance(cause, ConfigAttributeError | ConfigKeyError) and cause.full_key:
        siblings: Any = OmegaConf.to_container(cause.parent_node, resolve=False)
        return unknown_key(str(cause.full_key), siblings or {})
    what = getattr(error, "strerror", None) or first_line(error)  # without a file's long name
    reason = f": {first_line(cause)}" if cause else ""
    return ConfigError(f"{what}{reason} (in: {' '.join(map(short, words))})")
