from .composer import CommandLine
from .executors.local import LocalPool
from .executors.ray_tasks import RayTasks
from .executors.submitit_jobs import SlurmJobs, SubmititJobs
from .sweeper import run_sweep
from .worker import run_child

__all__ = [
    "CommandLine",
    "LocalPool",
    "RayTasks",
    "SlurmJobs",
    "SubmititJobs",
    "run_child",
    "run_sweep",
]
