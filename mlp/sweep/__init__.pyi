from .composer import CommandLine, PlannedJob
from .executors.local import LocalPool
from .executors.ray_tasks import RayTasks
from .executors.submitit_jobs import SlurmJobs, SubmititJobs
from .plan import Plan
from .sweeper import run_sweep
from .worker import ChildResult, run_child

__all__ = [
    "ChildResult",
    "CommandLine",
    "LocalPool",
    "Plan",
    "PlannedJob",
    "RayTasks",
    "SlurmJobs",
    "SubmititJobs",
    "run_child",
    "run_sweep",
]
