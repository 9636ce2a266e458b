"""Measure how fast it is: docs/performance.md.

python -m bench.performance steps     # an epoch, beside JAX, PyTorch and scikit-learn
python -m bench.performance report    # writes the page of what has been measured
"""

import argparse
import os

from bench.performance import steps
from bench.performance.loads import LOADS


def main() -> None:
    """Measure a part."""
    parser = argparse.ArgumentParser(prog="python -m bench.performance")
    parser.add_argument("part", choices=["steps"])
    parser.add_argument("--mnist", metavar="FOLDER", default=os.environ.get("MLP_MNIST_DIR"))
    parser.add_argument("--small", action="store_true", help="a trial, on 4,000 images")
    parser.add_argument("--loads", nargs="+", choices=LOADS, default=list(LOADS))
    parser.add_argument("--rounds", type=int, default=4)
    args = parser.parse_args()
    if args.small:
        os.environ["BENCH_SMALL"] = "1"
    if args.mnist:
        os.environ["MLP_MNIST_DIR"] = args.mnist
    steps.run(args.loads, args.rounds)


if __name__ == "__main__":
    main()
