"""Repeat a stored run, and compare it with itself bit by bit.

Weights, history and test predictions are compared, and the run stays as it is. Exit status: 0 when
they are identical, 1 when they are not, 2 when the run cannot be repeated. (`make reproduce` is
about the tables of publications.)
"""

from mlp.base import Parser, command, print_wrapped
from mlp.jobs import Reproduction, reproduce_run
from mlp.reports import ProgressConsole
from mlp.runs import find_training

RUN = "latest, best, an id or its beginning, a name, a folder; a sweep: its best run"
AT_COMMIT = (
    "train with the recorded commit and its uncommitted changes, checked out beside this code; "
    "they are executed: for runs that you trust"
)


@command
def main() -> int:
    """Reproduce the run that the command line names."""
    parser = Parser("mlp reproduce", description=__doc__)
    parser.add_argument("run", metavar="RUN", help=RUN)
    parser.add_argument("--at-commit", action="store_true", help=AT_COMMIT)
    arguments = parser.parse_args()
    folder = find_training(arguments.run)
    reproduction = reproduce_run(folder, arguments.at_commit, ProgressConsole())
    show(reproduction)
    if not arguments.at_commit and any("the code's" in text for text in reproduction.changes):
        print("--at-commit trains with the code of then")
    return 1 if reproduction.difference else 0


def show(reproduction: Reproduction) -> None:
    """Print what has become of a run that was repeated."""
    same, changes = ", ".join(reproduction.same), reproduction.changes
    if reproduction.difference is None:
        print_wrapped(f"identical: {same}")
        title = "although"
    else:
        print_wrapped(f"different: {reproduction.difference}")
        if same:
            print_wrapped(f"the same:  {same}")
        title = "likely causes" if len(changes) > 1 else "likely cause"
    if changes:
        print_wrapped("\n  ".join([f"{title}:", *changes]))


if __name__ == "__main__":
    main()
