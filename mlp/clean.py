"""List runs, leftovers and decoded data; with --yes, delete them.

Exit status: 0, or 1 when something could not be deleted, or 2 for a run that does not exist.
"""

import argparse
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import NamedTuple

from rich.filesize import decimal

from mlp.base import (
    RunError,
    UserError,
    command,
    data_dir,
    print_error,
    print_wrapped,
    relative,
    runs_dir,
)
from mlp.jobs import (
    Criteria,
    Entry,
    caches,
    delete,
    leftovers,
    remove_cache,
    remove_from,
    select,
    size_of,
)
from mlp.runs import SweepRecord, mark_orphaned_runs

EPILOG = """\
  mlp clean                                    list everything
  mlp clean --status failed killed --yes       delete failed and killed runs
  mlp clean --older-than 30 --keep-best 3      list runs older than 30 days, except the best 3
  mlp clean RUN SWEEP                          list these; a sweep includes its runs

A run is deleted in runs/ and in MLflow; MLflow keeps its own record of deleted runs until
'mlflow gc'. Runs that are still running are never deleted.
"""


class Line(NamedTuple):
    """Something that can be deleted, and how."""

    what: str
    name: str
    size: int
    delete: Callable[[], None]


@command
def main() -> int:
    """List, and delete if that is asked for."""
    arguments = _parser().parse_args()
    mark_orphaned_runs()
    n_failed = clean(_lines(arguments), really=arguments.yes)
    return 1 if n_failed else 0


def clean(lines: list[Line], really: bool) -> int:
    """Print a table and, if it is really wanted, delete what is in it.

    Returns
    -------
    int
        How many could not be deleted.
    """
    n_failed, freed = 0, 0
    for line in lines:
        print_wrapped(f"{line.what:20}  {decimal(line.size):>9}  {line.name}")
        if really:
            try:
                line.delete()
                freed += line.size
            except RunError as error:
                n_failed += 1
                print_error(error)
    total = sum(line.size for line in lines)
    if not lines:
        print("nothing to delete")
    elif really:
        print(f"deleted: {len(lines) - n_failed} of {len(lines)}, {decimal(freed)}")
    else:
        print(f"{len(lines)} in all, {decimal(total)}; nothing was deleted: name some, with --yes")
    return n_failed


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="mlp clean",
        description=__doc__,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("runs", nargs="*", metavar="RUN", help="a run or a sweep (default: all)")
    statuses = ("finished", "failed", "killed")
    parser.add_argument("--status", nargs="+", choices=statuses, default=[], help="that ended so")
    parser.add_argument("--older-than", type=_days, default=0.0, metavar="DAYS")
    parser.add_argument(
        "--keep-last", type=_number, default=0, metavar="N", help="except the last N"
    )
    parser.add_argument(
        "--keep-best", type=_number, default=0, metavar="N", help="except the best N"
    )
    parser.add_argument(
        "--leftovers", action="store_true", help="unfinished files of killed processes"
    )
    parser.add_argument("--cache", action="store_true", help="decoded data sets")
    parser.add_argument("--yes", action="store_true", help="delete what is listed")
    return parser


def _days(text: str) -> float:
    with suppress(ValueError):
        if 0 <= (days := float(text)) < 1e5:
            return days
    raise argparse.ArgumentTypeError(f"must be a number of days, got {text!r}")


def _number(text: str) -> int:
    if text.isdecimal():
        return int(text)
    raise argparse.ArgumentTypeError(f"must be a whole number, got {text!r}")


def _lines(arguments: argparse.Namespace) -> list[Line]:
    """Return what the command line asks for; all that there is if it asks for nothing."""
    criteria = Criteria(
        names=tuple(arguments.runs),
        status=tuple(status.upper() for status in arguments.status),
        older_than=arguments.older_than,
        keep_last=arguments.keep_last,
        keep_best=arguments.keep_best,
    )
    runs = criteria != Criteria()
    everything = not (runs or arguments.leftovers or arguments.cache)
    if everything and arguments.yes:
        raise UserError("--yes deletes what is listed: say what, as in --status killed --yes")
    lines: list[Line] = []
    if runs or everything:
        lines += [_run_line(entry) for entry in select(criteria)]
    if arguments.leftovers or everything:
        lines += [_path_line("unfinished", path, _remove) for path in leftovers()]
    if arguments.cache or everything:
        lines += [_path_line("decoded data", path, remove_cache) for path in caches()]
    return lines


def _run_line(entry: Entry) -> Line:
    record, n_runs = entry.record, len(entry.records) - 1
    what = f"{record.started:%Y-%m-%d}  {record.status}"
    runs = f"  ({n_runs} runs)" if isinstance(record, SweepRecord) else ""
    name = f"{record.id[:8]}  {record.name}{runs}"
    return Line(what, name, entry.size, partial(delete, entry))


def _path_line(what: str, path: Path, delete: Callable[[Path], None]) -> Line:
    return Line(what, str(relative(path)), size_of(path), partial(delete, path))


def _remove(path: Path) -> None:
    remove_from(runs_dir() if path.is_relative_to(runs_dir()) else data_dir(), path)


if __name__ == "__main__":
    main()
