from .composer import CommandLine, PlannedJob
from .executors.local import LocalPool
from .executors.ray_tasks import RayTasks
from .executors.submitit_jobs import SubmititJobs
from .sweeper import run_sweep
from .worker import run_child

__all__ = [
    "CommandLine",
    "LocalPool",
    "PlannedJob",
    "RayTasks",
    "SubmititJobs",
    "run_child",
    "run_sweep",
]
