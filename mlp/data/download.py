"""Fetching a file from mirrors: quietly, atomically, checked before it gets its name."""

import logging
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from mlp.base import DataError, atomic_write

TIMEOUT = 15.0  # seconds without an answer before the next mirror is tried


def fetch(name: str, mirrors: Sequence[str], folder: Path, check: Callable[[Path], object]) -> Path:
    """Download ``name`` from the first mirror that gives an acceptable file, and return its path.

    Parameters
    ----------
    name : str
        Of the file, at the mirrors and in ``folder``.
    mirrors : sequence of str
        URLs of folders, with a slash at the end, tried in turn.
    folder : Path
        Made when absent, but only once there is a file to put into it.
    check : callable
        Given the path of the downloaded file; raises DataError when that is not the right one.

    Raises
    ------
    DataError
        When no mirror gave the file, or the folder cannot be written.
    """
    failures = []
    for mirror in mirrors:
        with TemporaryDirectory() as scratch:  # one each: pooch keeps a file that is there
            try:
                downloaded = _download(mirror + name, Path(scratch))
                check(downloaded)
            except DataError:
                failures.append(f"{mirror} sent a damaged or wrong file")
            except (OSError, ValueError) as error:  # what requests and pooch raise
                failures.append(f"{mirror} failed with {type(error).__name__}")
            else:
                return _install(downloaded, folder)
    raise DataError(
        f"{name} is not in {folder} and could not be downloaded: {', '.join(failures)}; put it "
        "there by hand (data.dir names the folder), or use data=mnist_5k, which needs no download"
    )


def _download(url: str, folder: Path) -> Path:
    import pooch  # slow, and rarely needed

    pooch.get_logger().setLevel(logging.WARNING)
    downloader = pooch.HTTPDownloader(timeout=TIMEOUT)
    name = url.rpartition("/")[2]
    return Path(pooch.retrieve(url, None, fname=name, path=folder, downloader=downloader))


def _install(file: Path, folder: Path) -> Path:
    """Copy a file into a folder; under its name it is never seen incomplete."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with atomic_write(folder / file.name) as copy:
            shutil.copyfile(file, copy)
    except (OSError, ValueError) as error:  # ValueError: a NUL in the folder's name
        raise DataError(f"data.dir: {folder} cannot be written ({error})") from error
    return folder / file.name
