"""docs/notebook.ipynb runs from its first cell to its last, and shows what it printed."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

NOTEBOOK = Path(__file__).resolve().parents[2] / "docs" / "notebook.ipynb"
CODE = [cell for cell in json.loads(NOTEBOOK.read_text("utf-8"))["cells"] if "outputs" in cell]


@pytest.mark.e2e
def test_every_cell_runs(tmp_path: Path):
    """As one script, in an empty folder; nothing is said on stderr."""
    cells = ["".join(cell["source"]).removeprefix("%matplotlib inline\n") for cell in CODE]
    (tmp_path / "notebook.py").write_text("\n".join(cells), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "notebook.py"],
        cwd=tmp_path,
        env=os.environ | {"MLP_RUNS": str(tmp_path / "runs"), "MPLBACKEND": "Agg"},
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "lr=0.01 is ahead of lr=0.001 in test/accuracy" in done.stdout
    assert len(list((tmp_path / "runs").glob("*/run.json"))) == 1 + 6 + 1


def test_outputs_are_stored():
    """Whoever reads it without running it sees figures and results, and no error."""
    outputs = [output for cell in CODE for output in cell["outputs"]]
    kinds = [key for output in outputs for key in output.get("data", ())]
    assert kinds.count("image/png") == 2
    assert all(output["output_type"] != "error" for output in outputs)
