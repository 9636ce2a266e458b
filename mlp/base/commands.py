"""The entry point and the exit status that all commands share."""

import os
import sys
import traceback
from argparse import ArgumentParser
from collections.abc import Callable
from functools import wraps
from typing import NoReturn

from mlp.base.errors import UserError
from mlp.base.signals import exit_on_signals


class Parser(ArgumentParser):
    """Parses a command line; what is wrong with one is a UserError, in one sentence."""

    def error(self, message: str) -> NoReturn:
        """Refuse the command line."""
        raise UserError(f"{message}; see {self.prog} --help")


def command(function: Callable[[], int | None]) -> Callable[[], NoReturn]:
    """Decorate the main function of a command: it exits with `exit_status`."""

    @wraps(function)
    def main() -> NoReturn:
        exit_on_signals()
        sys.exit(exit_status(function))

    return main


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
        print(f"mlp: {error}", file=sys.stderr)
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
