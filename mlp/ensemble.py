"""Make one model of several runs: the mean of what they predict.

It is tested on the test set that they share, and is a run of its own, which is evaluated, compared
and served as others are. A sweep stands for all runs of its best setting, which differ in their
seeds; with --top 8, for its 8 best runs.
"""

from mlp.base import Parser, command
from mlp.jobs import make_ensemble, members_of
from mlp.reports import Console


@command
def main() -> None:
    """Make the ensemble that the command line names."""
    parser = Parser("mlp ensemble", description=__doc__)
    parser.add_argument("references", nargs="+", metavar="SWEEP|RUN", help="what to make it of")
    parser.add_argument("--top", type=int, metavar="N", help="the N best runs of each sweep")
    parser.add_argument("--name", help="what to call it")
    arguments = parser.parse_args()
    if arguments.top is not None and arguments.top < 2:
        parser.error(f"--top must be at least 2, got {arguments.top}")
    make_ensemble(members_of(arguments.references, arguments.top), arguments.name, Console())


if __name__ == "__main__":
    main()
