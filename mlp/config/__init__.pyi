from .command_line import accepted
from .composition import changed, compose, conf_dir, config_places
from .defaults import unusual_keys
from .help import read_choice, run_help
from .hydra_settings import check_settings
from .instantiation import build, construct
from .job import Job, check, is_plain
from .messages import explained, prefixed
from .sweep import Grid, Search, Settings, read_settings

__all__ = [
    "Grid",
    "Job",
    "Search",
    "Settings",
    "accepted",
    "build",
    "changed",
    "check",
    "check_settings",
    "compose",
    "conf_dir",
    "config_places",
    "construct",
    "explained",
    "is_plain",
    "prefixed",
    "read_choice",
    "read_settings",
    "run_help",
    "unusual_keys",
]
