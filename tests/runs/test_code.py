"""In what the code of two trainings differs is named, each file once."""

import pytest

from mlp.runs.checkout import Diff
from mlp.runs.code import Code, code_changes
from mlp.runs.origin import OwnClass


def code(patch: str = "", own: str = "1", helper: str = "2", **untracked: str) -> Code:
    files = {f"{name}.py": digest for name, digest in untracked.items()}
    classes = {"mine.Noise": OwnClass(file="/home/mine.py", digest=own)}
    return Code(classes, {"mine.py": own, "helper.py": helper}, Diff(patch, files))


@pytest.mark.parametrize(
    ("then", "now", "changes"),
    [
        (code(a="7"), code(a="7"), []),
        (code(), code(own="3"), ["mine.Noise has been edited (/home/mine.py)"]),
        (
            code(),
            code(helper="3"),
            ["code that lies beside your own classes has been edited: helper.py"],
        ),
        (
            code(),
            code(patch="+a"),
            ["the code's uncommitted changes were others (uncommitted.diff)"],
        ),
        (code(a="7", b="8"), code(a="7", b="9"), ["untracked files have been edited: b.py"]),
        (code(mine="1"), code(own="3", mine="3"), ["mine.Noise has been edited (/home/mine.py)"]),
        (code(a=""), code(a="7"), []),  # its hash was not recorded
        (
            code(a="", b="7"),
            code(c="7"),
            [
                "untracked files are gone, and are not stored: a.py, b.py",
                "untracked files are new: c.py",
            ],
        ),
        (
            code(),
            code(a="1", b="1", c="1", d="1"),
            ["untracked files are new: a.py, b.py, c.py and 1 more"],
        ),
    ],
)
def test_changes(then: Code, now: Code, changes: list[str]):
    assert code_changes(then, now) == changes


def test_modules_that_one_of_them_has_not_imported_are_not_compared():
    few = Code({}, {"mine.py": "1"}, Diff("", {"notes.txt": ""}))
    assert code_changes(code(), few) == code_changes(few, code()) == []
