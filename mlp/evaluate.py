"""Test a stored run again, on its own test set or on other data.

Other data are given as in data=npz data.path=mine.npz. A sweep stands for its best run.
"""

from collections.abc import Sequence

from mlp.base import Parser, command
from mlp.jobs import evaluate_run
from mlp.reports import Console
from mlp.runs import find_training
from mlp.tracking import wait_for_delivery
from mlp.training import Evaluation

RUN = "latest, best, an id or its beginning, a name, a folder; a sweep: its best run"
CHANGES = "other data, as in data=npz data.path=mine.npz; threads; trainer.eval_batch_size"


@command
def main() -> None:
    """Evaluate the run that the command line names."""
    parser = Parser("mlp evaluate", description=__doc__)
    parser.add_argument("run", nargs="?", help=RUN)
    parser.add_argument("changes", nargs="*", metavar="key=value", help=CHANGES)
    arguments = parser.parse_args()
    if arguments.run is None:
        parser.error("say which run, as in mlp evaluate latest")
    evaluate(arguments.run, arguments.changes, Console())


def evaluate(
    reference: str, changes: Sequence[str] = (), console: Console | None = None
) -> Evaluation:
    """Evaluate the run that a reference means, see `evaluate_run`."""
    folder = find_training(reference)
    evaluation = evaluate_run(folder, changes, console)
    wait_for_delivery([folder])
    return evaluation


if __name__ == "__main__":
    main()
