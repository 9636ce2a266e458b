"""What the parts have measured, one JSON file each, with the machine on which they were."""

import json
import os
import platform
from datetime import datetime
from pathlib import Path
from typing import Any

from bench.performance.peers import versions
from bench.performance.processes import ROOT, worker

RESULTS = ROOT / "bench" / "results"


def cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0))


def machine() -> dict[str, Any]:
    """Return what figures depend on."""
    import psutil
    from threadpoolctl import threadpool_info

    models = [
        line.split(":")[1].strip()
        for line in Path("/proc/cpuinfo").read_text().splitlines()
        if line.startswith("model name")
    ]
    blas = next(pool for pool in threadpool_info() if pool["user_api"] == "blas")
    return {
        "processor": models[0],
        "cores": cores(),
        "memory_gb": round(psutil.virtual_memory().total / 2**30),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "blas": f"{blas['internal_api']} {blas['version']}, {blas['architecture']} kernels",
        "peers": [f"{package} {version}" for package, version in versions().items()],
        "date": datetime.now().date().isoformat(),
    }


def write(part: str, rows: Any) -> None:
    """Store the result of a part."""
    RESULTS.mkdir(exist_ok=True)
    with worker(threads=1) as process:
        found = process.submit(machine).result()
    text = json.dumps({"machine": found, "rows": rows}, indent=1)
    (RESULTS / f"{part}.json").write_text(text + "\n", encoding="utf-8")


def read(part: str) -> dict[str, Any] | None:
    """Return the result of a part, None if it has not been measured."""
    path = RESULTS / f"{part}.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else None
