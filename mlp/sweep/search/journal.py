"""The file of a search's trials: Optuna's journal, which several processes write."""

import json
import os
from pathlib import Path
from typing import Any, BinaryIO

import optuna
from filelock import FileLock
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend

optuna.logging.set_verbosity(optuna.logging.ERROR)  # the sweep's own display tells the rest


def open_journal(path: Path) -> JournalStorage:
    """Return the storage in a file, which is created if need be."""
    return JournalStorage(_Journal(path))


class _Journal(JournalFileBackend):
    """Optuna's file of operations, one a line, that outlives a process killed while it writes.

    The operating system releases the lock of a dead process; Optuna's own would remain, and delay
    everyone for 30 seconds. Half a line, which only a dead process leaves, is cut off
    before the next is written; else both would be one line that nobody can read. And no line
    waits for the disk: that protects from a power cut, and costs up to a tenth of a short epoch.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(str(path))
        self._path, self._mutex = path, FileLock(f"{path}.lock")

    def append_logs(self, logs: list[dict[str, Any]]) -> None:
        lines = "".join(json.dumps(log, separators=(",", ":")) + "\n" for log in logs)
        with self._mutex, self._path.open("rb+") as file:
            _go_to_end_of_last_line(file)
            file.write(lines.encode())


def _go_to_end_of_last_line(file: BinaryIO) -> None:
    if file.seek(0, os.SEEK_END) == 0:
        return
    file.seek(-1, os.SEEK_END)
    if file.read() != b"\n":
        file.seek(0)
        file.truncate(file.read().rfind(b"\n") + 1)
        file.seek(0, os.SEEK_END)
