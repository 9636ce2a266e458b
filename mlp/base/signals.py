"""The signals that ask a process to end: Ctrl-C, a scheduler's SIGTERM, a closed terminal."""

import multiprocessing
import os
import signal
import sys
import threading
from stat import S_ISCHR
from typing import Any, Self

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def handled_signals() -> list[signal.Signals]:
    """Return the ending signals, except those our parent told us to ignore, as nohup does."""
    return [number for number in ENDING if signal.getsignal(number) != signal.SIG_IGN]


def exit_on_signals() -> None:
    """Let SIGTERM and SIGHUP raise SystemExit, so that everything is closed as at Ctrl-C."""
    for number in handled_signals():
        if number != signal.SIGINT:
            signal.signal(number, _exit)


def silence_closed_terminal(number: int) -> None:
    """After a SIGHUP, write no more to the terminal: it would answer each line with an error."""
    if number != signal.SIGHUP:
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.__stdout__, sys.__stderr__):
        if stream is not None and S_ISCHR(os.fstat(stream.fileno()).st_mode):  # no file, no pipe
            os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


class SignalCatcher:
    """Notes the first ending signal while the context lasts; a second raises SystemExit.

    A worker process only notes: a signal to a whole group of processes reaches it, and then its
    parent sends it another.

    Attributes
    ----------
    signal : int or None
        The number of the signal that has arrived.
    """

    def __init__(self) -> None:
        self.signal: int | None = None
        self._handlers: dict[int, Any] = {}

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():  # no other may set handlers
            for number in handled_signals():
                self._handlers[number] = signal.signal(number, self._receive)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._handlers.items():
            signal.signal(number, handler)

    def _receive(self, number: int, frame: object) -> None:
        if self.signal is not None and multiprocessing.parent_process() is None:
            _exit(number, frame)
        silence_closed_terminal(number)
        self.signal = number


def _exit(number: int, _: object) -> None:
    silence_closed_terminal(number)
    sys.exit(128 + number)
