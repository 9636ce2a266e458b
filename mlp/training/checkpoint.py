"""Checkpoints: all state of a training at an epoch's end, written so that no crash can spoil it.

A checkpoint is a folder ``epoch-N``: the arrays as .npy files, the rest in ``progress.json``, which
also holds their digests; ``progress.sha256`` is its own. The folder is made under another
name, forced to the disk, and renamed: it is there as a whole or not at all. The last two are kept,
in case the newest is damaged later.
"""

import hashlib
import json
import logging
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from time import perf_counter

import numpy as np

from mlp.base import RunError, atomic_write, read_into, remove, remove_unfinished
from mlp.training.progress import Progress

logger = logging.getLogger(__name__)
N_KEPT = 2
MAX_SHARE = 0.01  # of the training time: a large network is written less often than asked
SPEED = 250e6  # bytes a second, supposed until one has been written


class Checkpoints:
    """The checkpoints of one training.

    Parameters
    ----------
    folder : Path
        Their own; made when the first one is written.
    every : float or None
        Seconds from one to the next, at least; None makes none.
    keep : bool
        Write one of the last epoch: the training may be made longer.
    report : callable
        Told, a sentence each, which checkpoint is damaged or cannot be written.
    may_start_over : bool
        False where what the training began with is not there any more.
    """

    def __init__(
        self,
        folder: Path,
        every: float | None,
        keep: bool = False,
        report: Callable[[str], None] = logger.warning,
        may_start_over: bool = True,
    ) -> None:
        self.folder, self.every, self.keep, self.report = folder, every, keep, report
        self._may_start_over = may_start_over
        self._last = perf_counter()
        self._cost: float | None = None  # seconds that the last one took
        self._failed = False

    def offer(self, progress: Progress, last: bool) -> None:
        """Write a checkpoint if it is time for one.

        A disk that does not take it is reported once, and tried again the next time: the training
        need not end for that.

        Parameters
        ----------
        progress : Progress
        last : bool
            Whether the training is over.
        """
        begin = perf_counter()
        if not (self.keep if last else self._is_due(begin, progress)):
            return
        try:
            self.write(progress)
        except OSError as error:
            if not self._failed:
                why = error.strerror or error
                self.report(f"no checkpoint can be written to {self.folder}: {why}")
            self._failed = True
        self._last = perf_counter()
        self._cost = self._last - begin

    def _is_due(self, now: float, progress: Progress) -> bool:
        if self.every is None:
            return False
        cost = self._cost
        if cost is None:
            cost = sum(array.nbytes for array in progress.arrays().values()) / SPEED
        return now - self._last >= max(self.every, cost / MAX_SHARE)

    def write(self, progress: Progress) -> None:
        """Write a checkpoint and remove all but the last two.

        Raises
        ------
        OSError
            When it cannot be written, for want of space or permission; those there are remain.
        """
        self.folder.mkdir(exist_ok=True)
        remove_unfinished(self.folder)
        with atomic_write(self.folder / f"epoch-{progress.epoch}") as unfinished:
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

        A damaged one is reported and put aside, and the one before it used.

        Raises
        ------
        RunError
            When there is none, and the training cannot start over.
        """
        stored = self.stored()
        for path in reversed(stored):
            try:
                _read(path, progress)
            except RunError as error:
                self.report(f"a damaged checkpoint is left aside: {error}")
                with suppress(OSError):  # its number may come again, and it is not one of two
                    path.rename(path.with_name(f"damaged-{path.name}"))
            else:
                return progress.epoch
        if not self._may_start_over:
            raise RunError(f"{self.folder} has no sound checkpoint, and init_from is gone, too")
        if stored:
            self.report("no checkpoint is sound: the training starts over")
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
        before = progress.numbers()
        try:
            progress.load_numbers(numbers)
        except Exception:
            progress.load_numbers(before)
            raise
    except RunError:
        raise
    except Exception as error:  # what is no number, or no list, has many ways to fail
        raise RunError(f"{folder} is not a readable checkpoint ({error})") from error
    for name, array in progress.arrays().items():
        np.copyto(array, arrays[name])


def _digest(content: bytes | memoryview) -> str:
    return hashlib.sha256(content).hexdigest()
