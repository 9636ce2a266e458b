"""Packages that only some runs need."""

from importlib.util import find_spec

from mlp.base.errors import ConfigError


def require(package: str, extra: str, what: str) -> None:
    """Raise ConfigError unless a package that an extra brings is installed."""
    if find_spec(package) is None:
        raise ConfigError(f"{what} needs {package}: pip install 'mlp[{extra}]'")
