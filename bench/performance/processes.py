"""Processes that measure: workers for functions, and commands watched from outside."""

import os
import pty
import re
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager, suppress
from multiprocessing import get_context
from pathlib import Path
from threading import Thread
from time import perf_counter, sleep
from typing import NamedTuple
from unittest.mock import patch

import psutil

ROOT = Path(__file__).resolve().parents[2]
LOOK = 0.01  # seconds between two looks at a process
ANSI = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def environment(threads: int | None = None) -> dict[str, str]:
    """Return this environment, in which libraries choose their kernels, and perhaps threads."""
    variables = {key: value for key, value in os.environ.items() if not key.startswith("OPENBLAS_")}
    if threads:
        counts = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "NPROC")
        variables |= dict.fromkeys(counts, str(threads))
        several = str(threads > 1).lower()
        variables |= {"XLA_FLAGS": f"--xla_cpu_multi_thread_eigen={several}"}  # JAX
    return variables


@contextmanager
def worker(threads: int) -> Iterator[ProcessPoolExecutor]:
    """Start a fresh process, to which functions are submitted; it lives as long as the context."""
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        with patch.dict(os.environ, environment(threads), clear=True):
            pool.submit(int).result()  # starts it
        yield pool


class Watched(NamedTuple):
    """A command that has ended: seconds, MB at most, and what it printed, with the moments."""

    seconds: float
    peak_mb: float
    printed: list[tuple[float, str]]

    @property
    def text(self) -> str:
        """All that was printed, without colours."""
        return ANSI.sub("", "".join(text for _, text in self.printed))

    def shown(self, pattern: str) -> float:
        """Return after how many seconds what matches ``pattern`` was on the screen."""
        text = ""
        for moment, more in self.printed:
            text += more
            if re.search(pattern, ANSI.sub("", text)):
                return moment
        raise ValueError(f"{pattern} was not printed:\n{text}")


def watch(words: Sequence[str], threads: int | None = None, **variables: str) -> Watched:
    """Run ``python WORDS`` in a terminal of its own, as a person would.

    Memory is that of the process itself, without what it shares: maps of files, libraries.
    """
    screen, terminal = pty.openpty()
    env = environment(threads) | variables
    streams = dict.fromkeys(("stdin", "stdout", "stderr"), terminal)
    begin, printed, peak = perf_counter(), list[tuple[float, str]](), 0.0
    process = psutil.Popen([sys.executable, *words], cwd=ROOT, env=env, **streams)
    os.close(terminal)
    reader = Thread(target=_read, args=(screen, begin, printed), daemon=True)
    reader.start()
    while process.poll() is None:
        with suppress(psutil.NoSuchProcess):  # it has just ended
            memory = process.memory_info()
            peak = max(peak, (memory.rss - memory.shared) / 2**20)
        sleep(LOOK)
    seconds = perf_counter() - begin
    reader.join(timeout=1)  # what it has left running may still have the terminal
    watched = Watched(seconds, peak, printed)
    if process.returncode:
        raise RuntimeError(f"{' '.join(words)} ended with {process.returncode}:\n{watched.text}")
    return watched


def _read(screen: int, begin: float, printed: list[tuple[float, str]]) -> None:
    """Note what appears on a terminal, until all have closed it."""
    with suppress(OSError):
        while data := os.read(screen, 65536):
            printed.append((perf_counter() - begin, data.decode(errors="replace")))
    os.close(screen)
