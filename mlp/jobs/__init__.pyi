from .checks import check_fit
from .cleanup import (
    Criteria,
    Entry,
    caches,
    delete,
    leftovers,
    remove_cache,
    remove_from,
    select,
    size_of,
)
from .ensemble import make_ensemble, members_of
from .evaluate import evaluate_run
from .explanation import explain_example
from .prediction import predict_file
from .reproduction import Reproduction, reproduce_run
from .resume import announce_orphaned_runs, resume_run
from .train import Result, run_job

__all__ = [
    "Criteria",
    "Entry",
    "Reproduction",
    "Result",
    "announce_orphaned_runs",
    "caches",
    "check_fit",
    "delete",
    "evaluate_run",
    "explain_example",
    "leftovers",
    "make_ensemble",
    "members_of",
    "predict_file",
    "remove_cache",
    "remove_from",
    "reproduce_run",
    "resume_run",
    "run_job",
    "select",
    "size_of",
]
