"""A short storm: trainings killed at random moments, and at each point at which they write."""

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

STORM = Path(__file__).resolve().parent.parent / "bench" / "storm.py"


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL, and no fork")
def test_storm_leaves_no_trace():
    """All that it compares is in bench/storm.py, which also has a longer one."""
    words = ["--kills=8", "--epochs=25", "--sweep-kills=0", "--tracking=none"]
    storm = subprocess.run([sys.executable, STORM, *words], capture_output=True, text=True)
    assert (storm.returncode, storm.stderr) == (0, "")
    assert storm.stdout.count("all as the undisturbed one") == 2
