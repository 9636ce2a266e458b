"""Measure how fast it is, and how time and memory grow: docs/performance.md.

    python -m bench.performance steps     # 8 minutes: an epoch, beside JAX, PyTorch, scikit-learn
    python -m bench.performance runs      # 3: whole commands
    python -m bench.performance busy      # 2: beside processes that spin
    python -m bench.performance growth    # 4: epochs, rows, parameters, runs, jobs
    python -m bench.performance report    # writes the page of what has been measured

Each part stores what it has measured in bench/results. Nothing else should run meanwhile.
"""

import argparse
import os
import time

from bench.performance import busy, growth, report, runs, steps
from bench.performance.loads import LOADS


def main() -> None:
    """Measure a part, or write the page."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.performance",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("part", choices=["steps", "runs", "busy", "growth", "report"])
    parser.add_argument(
        "--mnist", metavar="FOLDER", help="of the four files of MNIST (default: $MLP_MNIST_DIR)"
    )
    parser.add_argument("--small", action="store_true", help="a trial: its figures mean nothing")
    args = parser.parse_args()
    if args.mnist:
        os.environ["MLP_MNIST_DIR"] = args.mnist
    if args.small:
        os.environ["BENCH_SMALL"] = "1"
    begin = time.perf_counter()
    if args.part == "steps":
        steps.run("AC" if args.small else LOADS, rounds=2 if args.small else 5)
    elif args.part == "runs":
        runs.run(repeats=1 if args.small else 5, sweeps=[4] if args.small else [16, 64])
    elif args.part == "busy":
        busy.run(list(busy.LOADS)[: 1 if args.small else None], rounds=1 if args.small else 2)
    elif args.part == "growth":
        growth.run(n_sizes=2 if args.small else None)
    else:
        report.write_page()
    print(f"{args.part}: {time.perf_counter() - begin:.0f} s")


if __name__ == "__main__":
    main()
