from .composer import CommandLine, PlannedJob
from .executors.base import share_environment
from .executors.choice import check_launcher
from .plan import Plan
from .sweeper import run_sweep
from .worker import ChildResult, run_child

__all__ = [
    "ChildResult",
    "CommandLine",
    "Plan",
    "PlannedJob",
    "check_launcher",
    "run_child",
    "run_sweep",
    "share_environment",
]
