"""Predict the rows of a CSV, Parquet or .npz file; prints CSV.

A row of it is the answer for a row of the file: the label and the probability of each class, or the
numbers. A table needs the columns of the one that the run was trained on, but for the target; an
.npz file holds an array X. A sweep stands for its best run.
"""

import sys
from pathlib import Path

from mlp.base import Parser, command
from mlp.jobs import predict_file
from mlp.runs import find_run, training_of

RUN = "latest, best, an id or its beginning, a name, a folder; a sweep: its best run"


@command
def main() -> None:
    """Predict what the command line names."""
    parser = Parser("mlp predict", description=__doc__)
    parser.add_argument("run", metavar="RUN", help=RUN)
    parser.add_argument("file", metavar="FILE", type=Path, help=".csv, .tsv, .parquet or .npz")
    arguments = parser.parse_args()
    answers = predict_file(training_of(find_run(arguments.run)), arguments.file)
    answers.to_csv(sys.stdout, index=False)


if __name__ == "__main__":
    main()
