"""The project's folders, independent of the current one."""

import os
from pathlib import Path

from mlp.base.errors import RunError


def project_root() -> Path:
    """Return the checkout when the package runs from one, else the current folder."""
    root = Path(__file__).resolve().parents[2]
    return root if (root / "pyproject.toml").is_file() and (root / "conf").is_dir() else Path.cwd()


def runs_dir() -> Path:
    """Return the folder of all runs: ``$MLP_RUNS`` if set, else ``runs/`` of the project.

    Raises
    ------
    RunError
        When ``$MLP_RUNS`` cannot be a folder: its name is too long, or its links are circular.
    """
    override = os.environ.get("MLP_RUNS")
    if not override:
        return project_root() / "runs"
    path = Path(override)
    try:
        path = path.expanduser().resolve()
        path.stat()
    except FileNotFoundError:  # it will be made
        pass
    except (OSError, RuntimeError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise RunError(f"MLP_RUNS cannot be a folder ({reason}): {override[:80]!r}") from None
    return path


def relative(path: Path) -> Path:
    """Return a path relative to the current folder if it lies below, as the user would write it."""
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


def data_dir() -> Path:
    """Return the folder of downloaded data sets and decoded arrays, ``data/`` of the project."""
    return project_root() / "data"
