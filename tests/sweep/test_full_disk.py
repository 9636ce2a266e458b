"""A disk that fills up while a sweep is under way."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.jobs.test_full_disk import NAMESPACE, may_mount

pytestmark = pytest.mark.e2e

SCRIPT = """
mount -t tmpfs -o size=4m tmpfs {disk}
export MLP_RUNS={disk}/runs
{python} -m mlp.run -m data=digits tracking=none 'seed=range(4)' 'model.hidden_sizes=[8]' \
    trainer.max_epochs=60 trainer.patience=null hydra.launcher.workers=1 &
until grep -qs '"status": "FINISHED"' {disk}/runs/*/run.json; do sleep 0.05; done
dd if=/dev/zero of={disk}/filling bs=4096 2> /dev/null
wait $!
status=$?
rm {disk}/filling
cp -r {disk}/runs {disk}.copy
exit $status
"""


def test_ends_a_sweep_in_order(tmp_path: Path):
    if not may_mount(tmp_path / "probe"):
        pytest.skip("no small file system can be made here")
    disk = tmp_path / "disk"
    disk.mkdir()
    script = SCRIPT.format(disk=disk, python=sys.executable)
    done = subprocess.run([*NAMESPACE, "sh", "-c", script], capture_output=True, text=True)
    assert done.returncode == 1, done
    assert "Traceback" not in done.stderr + done.stdout
    records = [json.loads(path.read_text()) for path in (tmp_path / "disk.copy").glob("*/run.json")]
    [sweep] = [record for record in records if record.get("kind") == "sweep"]
    assert (sweep["status"], sweep["ended"] is None) == ("FAILED", False)
    assert sweep["counts"]["failed"] >= 1
