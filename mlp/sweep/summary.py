"""A sweep's ranking and the winner's test result, computed and stored."""

import logging
from typing import Literal

from mlp.jobs import evaluate_run
from mlp.reports import write_summary, write_sweep_report
from mlp.runs import Leaderboard, RunFolder, read_leaderboard, update_run

logger = logging.getLogger(__name__)


def summarise(
    sweep: RunFolder, test: Literal["winner", "all", "none"], news: bool = True
) -> Leaderboard:
    """Rank a sweep's runs, and store the result in its folder and its record.

    Parameters
    ----------
    sweep : RunFolder
    test : {"winner", "all", "none"}
        Whether to test the best run or all; a run that was tested before is not tested again. In
        cross-validation the winner is a setting, and is tested on all of its folds.
    news : bool
        Whether jobs have ended since the last time; if not, and no test set is read, nothing is
        written.

    Raises
    ------
    RunError
        As `Leaderboard.of`.
    """
    board = read_leaderboard([sweep.path.name])
    ranked = [run for row in board.rows for run in row.runs]
    wanted = {"winner": board.to_test, "all": ranked, "none": []}[test]
    untested = [run for run in wanted if not run.test and run.data.n_test]
    for run in untested:
        evaluate_run(RunFolder.of(run.id))
    if untested:
        board = read_leaderboard([sweep.path.name])
    if news or untested:
        write_summary(board, sweep.path)
        winner, metric = board.winner, board.metric
        found = {"metric": metric, "value": winner.metrics[metric], "best": winner.best}
        update_run(sweep, best={"run": winner.id, "name": winner.name, **found})
        _write_report(sweep, board)
    return board


def _write_report(sweep: RunFolder, board: Leaderboard) -> None:
    """Write the sweep's report; one that cannot be written is only a warning."""
    try:
        write_sweep_report(sweep, board, sweep.report)
    except Exception as error:
        logger.warning("the report could not be written: %s", error or type(error).__name__)
