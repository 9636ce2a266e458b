"""Predict the rows of a CSV, Parquet or .npz file; prints CSV.

A row of it is the answer for a row of the file: the label and the probability of each class, or the
numbers. A table needs the columns of the one that the run was trained on, but for the target; an
.npz file holds an array X. A sweep stands for its best run.
"""

import sys
from pathlib import Path

from mlp.base import Parser, command, print_wrapped
from mlp.jobs import predict_file
from mlp.runs import find_training, read_training

RUN = "latest, best, an id or its beginning, a name, a folder; a sweep: its best run"


@command
def main() -> None:
    """Predict what the command line names."""
    parser = Parser("mlp predict", description=__doc__)
    parser.add_argument("run", metavar="RUN", help=RUN)
    parser.add_argument("file", metavar="FILE", type=Path, help=".csv, .tsv, .parquet or .npz")
    arguments = parser.parse_args()
    folder = find_training(arguments.run)
    answers = predict_file(folder, arguments.file)
    record = read_training(folder)
    who = f"{record.name} ({record.id[:8]}), trained on {record.data.name}"
    print_wrapped(f"answered by {who}", sys.stderr)
    answers.to_csv(sys.stdout, index=False)


if __name__ == "__main__":
    main()
