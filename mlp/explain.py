"""Walk an example through a network and back, number by number.

As docs/backpropagation.md does it, of a test example: inputs, pre-activations, activations, loss,
deltas, a gradient and what a step would change. A sweep stands for its best run.
"""

from mlp.base import Parser, command
from mlp.jobs import explain_example
from mlp.reports import show_explanation
from mlp.runs import find_training

RUN = "latest, best, an id or its beginning, a name, a folder; a sweep: its best run"


@command
def main() -> None:
    """Explain the run that the command line names."""
    parser = Parser("mlp explain", description=__doc__)
    parser.add_argument("run", metavar="RUN", help=RUN)
    parser.add_argument(
        "--example",
        type=int,
        default=0,
        metavar="N",
        help="which test example, from 0 as in test_predictions.csv (default: 0)",
    )
    arguments = parser.parse_args()
    show_explanation(*explain_example(find_training(arguments.run), arguments.example))


if __name__ == "__main__":
    main()
