from .arrays import read_into
from .errors import ConfigError, DataError, RunError, UserError, closest
from .files import UNFINISHED, beside, read_json, remove, remove_unfinished, whole
from .paths import data_dir, runs_dir
from .randomness import generator
from .signals import let_go_of_terminal, obeyed
from .validate import at_least, between, fraction, positive

__all__ = [
    "UNFINISHED",
    "ConfigError",
    "DataError",
    "RunError",
    "UserError",
    "at_least",
    "beside",
    "between",
    "closest",
    "data_dir",
    "fraction",
    "generator",
    "let_go_of_terminal",
    "obeyed",
    "positive",
    "read_into",
    "read_json",
    "remove",
    "remove_unfinished",
    "runs_dir",
    "whole",
]
