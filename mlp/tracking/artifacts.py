"""A run's files in MLflow: hard links if the artifacts are on the same disk."""

import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from urllib.parse import unquote, urlparse

from mlp.base import RunError, temporary_sibling


def store_files(
    places: Iterable[Path],
    base: Path,
    root: str,
    log: Callable[[str, str | None], None],
    below: str = "",
) -> None:
    """Store files, and all files in folders, as artifacts: as hard links if possible.

    Parameters
    ----------
    places : iterable of Path
        Those that do not exist are passed over.
    base : Path
        The folder to which the artifacts' paths are relative.
    root : str
        The URI of the artifacts.
    log : callable
        Of MLflow, copies a path to a folder of the artifacts.
    below : str
        A folder of the artifacts in which all are to be.

    Raises
    ------
    RunError
        At a symbolic link, which could point to anything outside the run.
    """
    for file in (file for place in places for file in _files_in(place)):
        folder = str(below / file.parent.relative_to(base))
        if not (root.startswith("file:") and _link(file, local_path(root) / folder)):
            log(str(file), None if folder == "." else folder)


def local_path(uri: str) -> Path:
    """Return the path that a ``file:`` URI means."""
    return Path(unquote(urlparse(uri).path))


def _files_in(place: Path) -> Iterator[Path]:
    """Yield a file, or all files of a folder, in order; nothing if there is none."""
    if place.is_symlink():
        raise RunError(f"{place} is a symbolic link, and is not followed")
    if place.is_dir():
        for entry in sorted(place.iterdir()):
            yield from _files_in(entry)
    elif place.exists():
        if not place.is_file():
            raise RunError(f"{place} is not a regular file")
        yield place


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
