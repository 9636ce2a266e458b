"""Atomic writes: a file or a folder appears complete, or not at all."""

import json
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from errno import ENOSPC
from pathlib import Path
from typing import Any

UNFINISHED = ".part"  # suffix of a file or folder that is being written, or whose writer died


@contextmanager
def atomic_write(path: Path) -> Iterator[Path]:
    """Write a file or a folder under a temporary name, and rename it when it is complete.

    Whatever ends the writer, a signal, a full disk or a power cut: ``path`` holds either what was
    there before or all of the new. When a folder replaces another, the name is free for a moment.

    Parameters
    ----------
    path : Path
        In a folder that exists.

    Yields
    ------
    Path
        The temporary name, still free: the block creates a file or a folder there.

    Raises
    ------
    OSError
        When it cannot be written: no space, no permission.
    """
    unfinished, old = temporary_sibling(path), temporary_sibling(path)
    try:
        yield unfinished
        _force_to_disk(unfinished)
        if unfinished.is_dir() and path.exists():
            path.rename(old)  # a folder cannot replace anything in one step
        os.replace(unfinished, path)
        _force_entry(path.parent)  # the name, too
    except BaseException as error:
        if old.exists():
            old.rename(path)
        if isinstance(error, OSError) and error.errno is None:  # NumPy's, of an array cut short
            raise OSError(ENOSPC, os.strerror(ENOSPC), str(path)) from error
        raise
    finally:
        remove(unfinished)
        remove(old)


def read_json(path: Path) -> Any:
    """Return what a JSON file holds.

    Raises
    ------
    OSError
        When it cannot be read.
    ValueError
        When it is not JSON, or nested too deeply.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except RecursionError:
        raise ValueError("its brackets are nested too deeply") from None


def remove(path: Path) -> None:
    """Remove a file or a folder, if it exists, as far as that is possible."""
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with suppress(OSError):
            path.unlink()


def remove_unfinished(folder: Path) -> None:
    """Remove the unfinished files of dead writers in a folder where nobody is writing."""
    for path in folder.glob(f".*{UNFINISHED}"):
        remove(path)


def temporary_sibling(path: Path) -> Path:
    """Return a free name in the same folder, for what is unfinished or about to be deleted."""
    return path.with_name(f".{path.name}.{secrets.token_hex(4)}{UNFINISHED}")


def _force_to_disk(path: Path) -> None:
    """Wait until a file, or a folder with all in it, would survive a power cut."""
    if path.is_dir():
        for entry in path.iterdir():
            _force_to_disk(entry)
    _force_entry(path)


def _force_entry(path: Path) -> None:
    """Wait until a file's content, or the names in a folder, would survive a power cut."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
