from .differences import (
    IRRELEVANT,
    differing_params,
    in_words,
    metric_in_words,
    name_of,
    short_keys,
)
from .evaluations import record_evaluation
from .find import Stored, all_runs, check_name, check_tags, find_run
from .folder import (
    RunFolder,
    read_config,
    read_history,
    read_run,
    read_sweep,
    read_training,
    update_run,
    write_csv,
    write_run,
)
from .leaderboard import Leaderboard, Row, read_leaderboard, training_of
from .lock import DIED, Life, bury, bury_dead, is_alive, this_process
from .opening import make_runs_dir, open_run
from .outbox import delivery_failure, settle, undelivered_runs
from .provenance import collect_provenance, git_state
from .record import (
    Best,
    Git,
    Record,
    RunRecord,
    SweepMembership,
    SweepRecord,
    TestResult,
    Tracking,
    Winner,
    make_record,
)
from .recorder import Recorder
from .reopening import reopen_run
from .sweeps import Children, claim, find_sweep, list_sweeps, study_journal

__all__ = [
    "DIED",
    "IRRELEVANT",
    "Best",
    "Children",
    "Git",
    "Leaderboard",
    "Life",
    "Record",
    "Recorder",
    "Row",
    "RunFolder",
    "RunRecord",
    "Stored",
    "SweepMembership",
    "SweepRecord",
    "TestResult",
    "Tracking",
    "Winner",
    "all_runs",
    "bury",
    "bury_dead",
    "check_name",
    "check_tags",
    "claim",
    "collect_provenance",
    "delivery_failure",
    "differing_params",
    "find_run",
    "find_sweep",
    "git_state",
    "in_words",
    "is_alive",
    "list_sweeps",
    "make_record",
    "make_runs_dir",
    "metric_in_words",
    "name_of",
    "open_run",
    "read_config",
    "read_history",
    "read_leaderboard",
    "read_run",
    "read_sweep",
    "read_training",
    "record_evaluation",
    "reopen_run",
    "settle",
    "short_keys",
    "study_journal",
    "this_process",
    "training_of",
    "undelivered_runs",
    "update_run",
    "write_csv",
    "write_run",
]
