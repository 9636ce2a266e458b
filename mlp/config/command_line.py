"""Check the command line of ``mlp run`` before Hydra acts on it."""

from argparse import ArgumentParser
from collections.abc import Sequence
from pathlib import Path

from mlp.base import ConfigError
from mlp.config.compose import compose, own_conf, with_new_keys


def accepted(words: Sequence[str]) -> list[str]:
    """Return the words that are passed on to Hydra; ``conf/`` here is a --config-dir by itself.

    Raises
    ------
    ConfigError
        When Hydra cannot compose them, or mlp does not allow what they ask for.
    """
    flags, others = _parser().parse_known_args(words)
    if flags.experimental_rerun:
        raise ConfigError("--experimental-rerun would load a pickle; give the overrides again")
    if flags.config_dir and not Path(flags.config_dir).is_dir():
        raise ConfigError(f"--config-dir must be a folder, got {flags.config_dir[:80]!r}")
    if not others:  # with --help, --cfg and others, Hydra shows something and runs nothing
        compose(
            flags.overrides,
            multirun=flags.multirun,
            folder=flags.config_path,
            name=flags.config_name,
            added=flags.config_dir,
        )
    if not flags.config_dir and (folder := own_conf()):
        words = [*words, f"--config-dir={folder}"]
    return with_new_keys(words)


def _parser() -> ArgumentParser:
    """Return a parser of the Hydra flags that start a run."""
    parser = ArgumentParser(add_help=False)
    parser.add_argument("overrides", nargs="*")
    for flag in ("--run -r", "--multirun -m"):
        parser.add_argument(*flag.split(), action="store_true")
    for option in ("--config-dir -cd", "--config-path -cp", "--package -p", "--experimental-rerun"):
        parser.add_argument(*option.split())
    parser.add_argument("--config-name", "-cn", default="config")
    return parser
