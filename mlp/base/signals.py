"""The signals that bid a process to end: Ctrl-C, a scheduler's SIGTERM, a closed terminal."""

import os
import signal
import sys
from stat import S_ISCHR

ENDING = [
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
]


def obeyed() -> list[signal.Signals]:
    """Return those that whoever has started us does not want to be ignored, as nohup does."""
    return [number for number in ENDING if signal.getsignal(number) != signal.SIG_IGN]


def let_go_of_terminal(number: int) -> None:
    """Write no more to a terminal that was closed: it would answer each line with an error."""
    if signal.Signals(number).name != "SIGHUP":
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.__stdout__, sys.__stderr__):
        if stream is not None and S_ISCHR(os.fstat(stream.fileno()).st_mode):  # no file, no pipe
            os.dup2(nowhere, stream.fileno())
    os.close(nowhere)
