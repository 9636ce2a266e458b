from .arrays import read_into
from .classes import class_name, import_class
from .commands import (
    Parser,
    collect_seldom,
    command,
    exit_status,
    print_error,
    print_wrapped,
)
from .errors import ConfigError, DataError, RunError, UserError, closest, in_one_line
from .files import UNFINISHED, atomic_write, read_json, remove, remove_unfinished, temporary_sibling
from .packages import require
from .paths import data_dir, project_root, relative, runs_dir
from .randomness import generator
from .signals import SignalCatcher, handled_signals
from .validate import at_least, between, fraction, positive
from .words import counted, in_brief

__all__ = [
    "UNFINISHED",
    "ConfigError",
    "DataError",
    "Parser",
    "RunError",
    "SignalCatcher",
    "UserError",
    "at_least",
    "atomic_write",
    "between",
    "class_name",
    "closest",
    "collect_seldom",
    "command",
    "counted",
    "data_dir",
    "exit_status",
    "fraction",
    "generator",
    "handled_signals",
    "import_class",
    "in_brief",
    "in_one_line",
    "positive",
    "print_error",
    "print_wrapped",
    "project_root",
    "read_into",
    "read_json",
    "relative",
    "remove",
    "remove_unfinished",
    "require",
    "runs_dir",
    "temporary_sibling",
]
