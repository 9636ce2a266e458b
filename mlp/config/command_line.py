"""Check the command line of ``mlp run`` before Hydra acts on it."""

from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path

from mlp.base import ConfigError, Parser
from mlp.config.composition import compose, own_conf, with_new_keys

# Hydra's flags: with these it shows something, and runs nothing
SHOWING = "--hydra-help, --version, --cfg -c, --resolve, --shell-completion -sc, --info -i"
OPTIONS = "--config-dir -cd, --config-path -cp, --package -p, --experimental-rerun"


def accepted(words: Sequence[str]) -> list[str]:
    """Return the words that are passed on to Hydra; ``conf/`` here is a --config-dir by itself.

    Raises
    ------
    UserError
        When Hydra does not know a flag or cannot compose the words, or mlp does not allow what they
        ask for.
    """
    flags = parse(words)
    if flags.experimental_rerun:
        raise ConfigError("--experimental-rerun would load a pickle; give the overrides again")
    if flags.config_dir and not Path(flags.config_dir).is_dir():
        raise ConfigError(f"--config-dir must be a folder, got {flags.config_dir[:80]!r}")
    if not flags.showing:
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


def parse(words: Sequence[str]) -> Namespace:
    """Tell overrides from flags; UserError for a flag that Hydra does not know."""
    parser = Parser("mlp run", add_help=False)
    parser.add_argument("overrides", nargs="*")
    parser.add_argument("--help", "-h", action="store_true")
    parser.add_argument("--run", "-r", action="store_true")
    parser.add_argument("--multirun", "-m", action="store_true")
    parser.add_argument("--config-name", "-cn", default="config")
    for option in OPTIONS.split(", "):
        parser.add_argument(*option.split())
    for flag in SHOWING.split(", "):
        parser.add_argument(*flag.split(), nargs="?", const=True, dest="showing")
    return parser.parse_intermixed_args(words)
