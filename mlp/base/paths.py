"""Where the project's own folders are, wherever the command is typed."""

import os
from pathlib import Path


def project_root() -> Path:
    """Return the checkout when the package runs from one, else the current folder."""
    root = Path(__file__).resolve().parents[2]
    return root if (root / "pyproject.toml").is_file() and (root / "conf").is_dir() else Path.cwd()


def runs_dir() -> Path:
    """Return the folder of all runs: ``$MLP_RUNS`` if set, else ``runs/`` of the project."""
    override = os.environ.get("MLP_RUNS")
    return Path(override).expanduser().resolve() if override else project_root() / "runs"


def data_dir() -> Path:
    """Return the folder of downloaded data sets and decoded arrays, ``data/`` of the project."""
    return project_root() / "data"
