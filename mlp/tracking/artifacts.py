"""A run's files in MLflow: weights are hard links if the artifacts are on the same disk."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import unquote, urlparse

from mlp.base import RunError, temporary_sibling


def files_in(place: Path) -> Iterator[Path]:
    """Yield a file, or all files of a folder, in order; nothing if there is none.

    Raises
    ------
    RunError
        At a symbolic link, which could point to anything outside the run.
    """
    if place.is_symlink():
        raise RunError(f"{place} is a symbolic link, and is not followed")
    if place.is_dir():
        for entry in sorted(place.iterdir()):
            yield from files_in(entry)
    elif place.exists():
        if not place.is_file():
            raise RunError(f"{place} is not a regular file")
        yield place


def subfolder(file: Path, root: Path) -> str | None:
    """Return the folder of a file below another folder, None if it lies there directly."""
    place = file.parent.relative_to(root)
    return str(place) if place.parts else None


def link_or_log(
    file: Path, root: str, folder: str | None, log: Callable[[str, str | None], None]
) -> None:
    """Store a file that never changes as a hard link if possible, else as a copy.

    Parameters
    ----------
    file : Path
    root : str
        The URI of the artifacts.
    folder : str or None
        Where in the artifacts the file is to be.
    log : callable
        Of MLflow, copies a path to a folder of the artifacts.
    """
    if not (root.startswith("file:") and _link(file, local_path(root) / (folder or ""))):
        log(str(file), folder)


def local_path(uri: str) -> Path:
    """Return the path that a ``file:`` URI means."""
    return Path(unquote(urlparse(uri).path))


def _link(file: Path, folder: Path) -> bool:
    """Tell whether a link to a file could be put into a folder, in place of what was there."""
    target = folder / file.name
    try:
        if not (target.exists() and target.samefile(file)):
            folder.mkdir(parents=True, exist_ok=True)
            unfinished = temporary_sibling(target)
            os.link(file, unfinished, follow_symlinks=False)
            unfinished.replace(target)
    except OSError:  # another disk, or one without links
        return False
    return True
