"""The entry point and the exit status that all commands share."""

import atexit
import gc
import os
import sys
import traceback
from argparse import ArgumentParser
from collections.abc import Callable
from functools import wraps
from shutil import get_terminal_size
from textwrap import fill
from typing import NoReturn, TextIO

from mlp.base.errors import UserError
from mlp.base.signals import exit_on_signals

FEWEST_OBJECTS = 100_000  # that are made before Python looks which of them are unused


class Parser(ArgumentParser):
    """Parses a command line; what is wrong with one is a UserError, in one sentence."""

    def error(self, message: str) -> NoReturn:
        """Refuse the command line."""
        message = message.replace("the following arguments are required:", f"{self.prog} needs")
        raise UserError(f"{message}; see {self.prog} --help")


def command(function: Callable[[], int | None]) -> Callable[[], NoReturn]:
    """Decorate the main function of a command: it exits with `exit_status`."""

    @wraps(function)
    def main() -> NoReturn:
        exit_on_signals()
        collect_seldom()
        sys.exit(exit_status(function))

    return main


def collect_seldom() -> None:
    """Let Python look for unused cycles less often, and not at its end.

    What is imported stays: to walk through it again and again takes a quarter of a short run.
    """
    gc.set_threshold(FEWEST_OBJECTS)
    atexit.register(gc.freeze)


def print_error(error: object) -> None:
    """Print a sentence on stderr."""
    print_wrapped(f"mlp: {error}", sys.stderr)


def print_wrapped(text: str, file: TextIO | None = None) -> None:
    """Print a text, whose lines are broken between words on a terminal; on stdout by default."""
    file = file or sys.stdout
    if file.isatty():
        width = get_terminal_size().columns
        text = "\n".join(_wrapped(line, width) for line in text.splitlines())
    print(text, file=file)


def _wrapped(line: str, width: int) -> str:
    margin = " " * (len(line) - len(line.lstrip()) + 2)
    return fill(
        line, width, subsequent_indent=margin, break_long_words=False, break_on_hyphens=False
    )


def exit_status(action: Callable[[], int | None]) -> int:
    """Do something, print the error that ended it, and return the exit status.

    Returns
    -------
    int
        What ``action`` returned (0 for None); 2 after a UserError, which is one line on stderr;
        130 after Ctrl-C; 1 after any other exception, which is a bug and shown with its traceback.
    """
    try:
        status = action() or 0
        sys.stdout.flush()
        return status
    except UserError as error:
        print_error(error)
        return 2
    except BrokenPipeError:  # whoever reads the output wants no more, as in "mlp clean | head"
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:
        print("mlp: interrupted", file=sys.stderr)
        return 130
    except Exception:
        traceback.print_exc()
        return 1
