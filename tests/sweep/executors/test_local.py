"""A worker process on this machine."""

import subprocess
import sys

import pytest

WORKER = """
import os, signal, threading, time
from mlp.sweep.executors import local
local.GRACE = 0.2
signal.signal(signal.SIGTERM, signal.SIG_IGN)
parent, write = os.pipe()
os.close(write)
threading.Thread(target=local.exit_with_parent, args=(parent,), daemon=True).start()
time.sleep(60)
"""


@pytest.mark.e2e
@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_a_worker_that_hangs_does_not_outlive_its_parent():
    assert subprocess.run([sys.executable, "-c", WORKER], timeout=30).returncode == 1
