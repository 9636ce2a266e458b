"""The reference of the commands: what each answers to --help."""

import os
import sys
from contextlib import redirect_stdout, suppress
from importlib import import_module
from io import StringIO
from unittest.mock import patch

from mlp.__main__ import COMMANDS
from mlp.config import run_help


def commands() -> str:
    """Return a section for each command."""
    lines = []
    for name in COMMANDS:
        lines += [f"## mlp {name}", "", "```text", help_of(name).rstrip(), "```", ""]
        if name == "run":
            lines += ["The groups and keys are on [a page of their own](configuration.md).", ""]
    return "\n".join(lines)


def help_of(name: str) -> str:
    """Return what ``mlp NAME --help`` prints; of ``mlp run``, what comes before its keys."""
    if name == "run":
        return run_help([]).partition("Groups, with")[0]
    said = StringIO()
    words, wide = [f"mlp {name}", "--help"], {"COLUMNS": "88"}
    asked = patch.object(sys, "argv", words), patch.dict(os.environ, wide)
    with redirect_stdout(said), suppress(SystemExit), asked[0], asked[1]:
        import_module(f"mlp.{name}").main.__wrapped__()  # without its handlers of signals
    return said.getvalue()
