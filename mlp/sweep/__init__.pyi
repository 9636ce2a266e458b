from .composer import PlannedJob
from .plan import Plan
from .worker import ChildResult, run_child

__all__ = [
    "ChildResult",
    "Plan",
    "PlannedJob",
    "run_child",
]
