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
from .evaluate import evaluate_run
from .resume import offer_what_died, resume_run
from .train import Result, Resumption, check_fit, run_job

__all__ = [
    "Criteria",
    "Entry",
    "Result",
    "Resumption",
    "caches",
    "check_fit",
    "delete",
    "evaluate_run",
    "leftovers",
    "offer_what_died",
    "remove_cache",
    "remove_from",
    "resume_run",
    "run_job",
    "select",
    "size_of",
]
