"""Looks inside a network as lines of a run's folder."""

import pytest

from mlp.base import RunError
from mlp.runs import Recorder, RunFolder, open_run, read_inspections
from mlp.training import Inspected, Inspection
from tests.cases import CONFIG, OVERRIDES, make_case


def opened() -> Recorder:
    case = make_case()
    return open_run(None, CONFIG, OVERRIDES, case.dataset, case.parts, case.network)


def looked_at(folder: RunFolder) -> list[int]:
    return [look.epoch for look in read_inspections(folder)]


def test_a_line_for_each_look_and_none_twice():
    """A training that goes on from a checkpoint looks again at an epoch that it has seen."""
    with opened() as run:
        for epoch in (0, 1, 2, 1, 2, 4):
            run(Inspected(Inspection(epoch, 0.1, 2.3, ())))
    assert looked_at(run.folder) == [0, 1, 2, 4]
    assert run.record.findings == ()


def test_without_looks_there_are_no_findings():
    with opened() as run:
        pass
    assert looked_at(run.folder) == []
    assert run.record.findings is None


def test_a_line_that_was_cut_off_is_left_out_and_a_damaged_one_is_named():
    with opened() as run:
        run(Inspected(Inspection(0, 0.1, 2.3, ())))
    text = run.folder.inspections.read_text()
    run.folder.inspections.write_text(text + text[:20])
    assert looked_at(run.folder) == [0]
    run.folder.inspections.write_text(text[:20] + "\n" + text)
    with pytest.raises(RunError, match=r"inspections\.jsonl is damaged"):
        read_inspections(run.folder)
