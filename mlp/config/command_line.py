"""The words of ``mlp run``, looked at before Hydra acts on them."""

from argparse import ArgumentParser
from collections.abc import Sequence
from pathlib import Path

from mlp.base import ConfigError
from mlp.config.compose import compose, with_new_tags


def accepted(words: Sequence[str]) -> list[str]:
    """Return a command line's words as Hydra is to have them.

    Raises
    ------
    ConfigError
        When Hydra cannot compose a configuration of them, or is not to do what they ask for.
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
    return with_new_tags(words)


def _parser() -> ArgumentParser:
    """Return a parser of those of Hydra's flags with which it runs something."""
    parser = ArgumentParser(add_help=False)
    parser.add_argument("overrides", nargs="*")
    for flag in ("--run -r", "--multirun -m"):
        parser.add_argument(*flag.split(), action="store_true")
    for option in ("--config-dir -cd", "--config-path -cp", "--package -p", "--experimental-rerun"):
        parser.add_argument(*option.split())
    parser.add_argument("--config-name", "-cn", default="config")
    return parser
