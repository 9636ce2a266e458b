from .compose import COMPOSITION_ERRORS, accepted, changed, conf_dir, explain
from .guard import guard_hydra
from .job import Job, check, construct, part
from .sweep import Grid, Search, Settings, read_settings

__all__ = [
    "COMPOSITION_ERRORS",
    "Grid",
    "Job",
    "Search",
    "Settings",
    "accepted",
    "changed",
    "check",
    "conf_dir",
    "construct",
    "explain",
    "guard_hydra",
    "part",
    "read_settings",
]
