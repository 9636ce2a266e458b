"""Decoded data sets as .npy files, memory-mapped and so shared between processes."""

import hashlib
import json
import sys
import sysconfig
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import astuple
from pathlib import Path
from typing import Any

import numpy as np

from mlp.base import atomic_write, data_dir
from mlp.data.columns import Column
from mlp.data.dataset import ARRAYS, Dataset

PATIENCE = 60.0  # seconds to wait for a process that decodes the same files
FORMAT = 2  # part of every key: raise it when a decoder changes what it returns


def cached(
    name: str, files: Sequence[Path], options: str, decode: Callable[[], Dataset]
) -> Dataset:
    """Return the data set decoded from ``files``, from the cache when it was decoded before.

    An entry is only taken when its arrays hash to the digest stored beside them; any other is
    made anew. Where the cache cannot be written, the data set is decoded into memory each time.

    Parameters
    ----------
    name : str
        Of the source; begins the entry's folder name.
    files : sequence of Path
        What is decoded. Another path, size or time of change makes another entry; so does a change
        whose modification time was set back, as the time of that cannot be chosen.
    options : str
        All else that decoding depends on; another text makes another entry.
    decode : callable
        Makes the Dataset; its errors are passed on.
    """
    folder = data_dir() / "cache" / f"{name}-{_key(files, options)}"
    dataset = _read(folder, name)
    if dataset is None:
        with _one_process_at_a_time(folder):
            dataset = _read(folder, name) or _write(decode(), folder)
    return dataset


def code_of(source: type) -> list[Path]:
    """Return the files of the code that a source's data depend on; none where there is no file.

    Of a class of one's own, these are its module and all that it imports from the same folder of
    Python's path, unless that is where packages are installed.
    """
    file = getattr(sys.modules[source.__module__], "__file__", None)
    if file is None:
        return []
    path = Path(file)
    root = path.parents[source.__module__.count(".") + (path.stem == "__init__")]
    installed = {Path(folder) for folder in sysconfig.get_paths().values()}
    if source.__module__.startswith("mlp.") or installed & {root, *root.parents}:
        return [path]
    from modulefinder import ModuleFinder  # reads the code, and executes none

    finder = ModuleFinder([str(root)], excludes=["mlp"])
    with suppress(Exception):  # it fails at a package without __init__.py
        finder.import_hook(source.__module__)
    found = (getattr(module, "__file__", None) for module in finder.modules.values())
    return sorted({path, *(Path(file) for file in found if file)})


def is_entry(folder: Path) -> bool:
    """Tell whether a folder is one of ours."""
    return (folder / "meta.json").is_file() and (folder / "x_train.npy").is_file()


def _key(files: Sequence[Path], options: str) -> str:
    stats = [(str(path.resolve()), path.stat()) for path in files]
    facts = [(path, s.st_size, s.st_mtime_ns, s.st_ctime_ns) for path, s in stats]
    identity = [FORMAT, options, *facts]
    return hashlib.sha256(json.dumps(identity).encode()).hexdigest()[:16]


def _read(folder: Path, name: str) -> Dataset | None:
    """Return the entry with read-only memory maps as arrays, or None unless it is sound."""
    try:
        meta = json.loads((folder / "meta.json").read_text())
        arrays: dict[str, Any] = {array: _map(folder / f"{array}.npy") for array in ARRAYS}
        dataset = Dataset(
            name=name,
            **arrays,
            classes=tuple(meta["classes"]),
            x_max=meta["x_max"],
            image_shape=meta["image_shape"] and tuple(meta["image_shape"]),
            columns=_columns(meta.get("columns")),
            targets=tuple(meta.get("targets", ())),
            label_type=meta["label_type"],
        )
        return dataset if dataset.digest == meta["digest"] else None
    except Exception:  # whatever is wrong with an entry, decoding again mends it
        return None


def _map(path: Path) -> np.ndarray | None:
    """Map an array of the entry; None when it has none of that name."""
    if not path.exists():
        return None
    # A plain view, because the memmap class slows every indexing down.
    mapped: np.ndarray = np.load(path, mmap_mode="r", allow_pickle=False).view(np.ndarray)
    return mapped


def _columns(stored: list[Any] | None) -> tuple[Column, ...] | None:
    if stored is None:
        return None
    return tuple(Column(name, kind, tuple(categories)) for name, kind, categories in stored)


def _write(dataset: Dataset, folder: Path) -> Dataset:
    """Store the data set and return it memory-mapped; as it is, where it cannot be stored."""
    keys = ("classes", "x_max", "image_shape", "targets", "label_type", "digest")
    meta = {key: getattr(dataset, key) for key in keys}
    meta["columns"] = dataset.columns and [astuple(column) for column in dataset.columns]
    try:
        with atomic_write(folder) as entry:  # replaces a damaged one
            entry.mkdir()
            for name, array in dataset.arrays.items():
                np.save(entry / f"{name}.npy", array)
            (entry / "meta.json").write_text(json.dumps(meta))
    except OSError:
        return dataset
    return _read(folder, dataset.name) or dataset


@contextmanager
def _one_process_at_a_time(folder: Path) -> Iterator[None]:
    """Let others wait for this entry instead of decoding it too.

    Where no lock can be made, or a process that hangs holds it, there is none: the worst is that
    the same entry is made twice.
    """
    from filelock import FileLock  # not needed to serve a model, which has this room beside it

    with ExitStack() as stack:
        with suppress(OSError):
            folder.parent.mkdir(parents=True, exist_ok=True)
            stack.enter_context(FileLock(f"{folder}.lock", timeout=PATIENCE))
        yield
