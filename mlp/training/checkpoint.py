"""Checkpoints: all state of a training at an epoch's end, written so that no crash can spoil it.

A checkpoint is a folder ``epoch-N``: the arrays as .npy files, the rest in ``progress.json``, which
also holds their digests; ``progress.sha256`` is its own. The folder is made under another
name, forced to the disk, and renamed: it is there as a whole or not at all. The last two are kept,
in case the newest is damaged later.
"""

import hashlib
import json
from pathlib import Path
from time import perf_counter

import numpy as np

from mlp.arrays import read_into
from mlp.errors import RunError
from mlp.files import remove, remove_unfinished, whole
from mlp.training.progress import Progress

N_KEPT = 2
MAX_SHARE = 0.01  # of the training time: a large network is written less often than asked


class Checkpoints:
    """The checkpoints of one training.

    Parameters
    ----------
    folder : Path
        Their own; made when the first one is written.
    every : float
        Seconds from one to the next, at least.

    Attributes
    ----------
    damaged : list of str
        Why a checkpoint was passed over, one sentence each.
    """

    def __init__(self, folder: Path, every: float) -> None:
        self.folder, self.every = folder, every
        self.damaged: list[str] = []
        self._cost = 0.0
        self._last = perf_counter()

    def offer(self, progress: Progress) -> None:
        """Write a checkpoint if it is time for one."""
        if perf_counter() - self._last >= max(self.every, self._cost / MAX_SHARE):
            begin = perf_counter()
            self.write(progress)
            self._last = perf_counter()
            self._cost = self._last - begin

    def write(self, progress: Progress) -> None:
        """Write a checkpoint and remove all but the last two.

        Raises
        ------
        OSError
            When it cannot be written, for want of space or permission; those there are remain.
        """
        self.folder.mkdir(exist_ok=True)
        remove_unfinished(self.folder)
        with whole(self.folder / f"epoch-{progress.epoch}") as unfinished:
            unfinished.mkdir()
            _write(unfinished, progress)
        for old in self.stored()[:-N_KEPT]:
            remove(old)

    def stored(self) -> list[Path]:
        """Return the checkpoints' folders, oldest first."""
        numbered = [
            (int(path.name.removeprefix("epoch-")), path)
            for path in self.folder.glob("epoch-*")
            if path.name.removeprefix("epoch-").isdecimal()
        ]
        return [path for _, path in sorted(numbered)]

    def restore(self, progress: Progress) -> int:
        """Put the newest sound checkpoint into ``progress``; return its epoch, 0 if there is none.

        A damaged one is named in ``damaged`` and the one before it used.
        """
        for path in reversed(self.stored()):
            try:
                _read(path, progress)
            except RunError as error:
                self.damaged.append(str(error))
            else:
                return progress.epoch
        return 0

    def remove(self) -> None:
        """Remove all checkpoints: the training is over."""
        remove(self.folder)


def _write(folder: Path, progress: Progress) -> None:
    """Write the files of a checkpoint."""
    digests = {}
    for name, array in progress.arrays().items():
        np.save(folder / f"{name}.npy", array)
        digests[name] = _digest(array.data)
    text = json.dumps({"digests": digests, **progress.numbers()})
    (folder / "progress.json").write_text(text, encoding="utf-8")
    (folder / "progress.sha256").write_text(_digest(text.encode()), encoding="utf-8")


def _read(folder: Path, progress: Progress) -> None:
    """Fill ``progress`` from a checkpoint; RunError, and nothing changed, if it is not sound."""
    try:
        text = (folder / "progress.json").read_text(encoding="utf-8")
        digest = (folder / "progress.sha256").read_text(encoding="utf-8")
        if _digest(text.encode()) != digest:
            raise RunError(f"{folder / 'progress.json'} is damaged: its digest does not match")
        numbers = json.loads(text)
        arrays = {name: np.empty_like(array) for name, array in progress.arrays().items()}
        for name, array in arrays.items():
            read_into(array, folder / f"{name}.npy")
            if _digest(array.data) != numbers["digests"][name]:
                raise RunError(f"{folder / name}.npy is damaged: its digest does not match")
    except (OSError, ValueError, KeyError) as error:
        raise RunError(f"{folder} is not a readable checkpoint ({error})") from error
    progress.load_numbers(numbers)
    for name, array in progress.arrays().items():
        np.copyto(array, arrays[name])


def _digest(content: bytes | memoryview) -> str:
    return hashlib.sha256(content).hexdigest()
