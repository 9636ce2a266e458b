"""What the parts have measured, one JSON file each, with the machine on which they were."""

import json
import os
import platform
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / "bench" / "results"


def machine() -> dict[str, Any]:
    """Return what figures depend on, and how busy the machine was."""
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
        "cores": len(os.sched_getaffinity(0)),
        "memory_gb": round(psutil.virtual_memory().total / 2**30),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "numpy": version("numpy"),
        "blas": f"{blas['internal_api']} {blas['version']}, {blas['architecture']} kernels",
        "load": os.getloadavg()[0],
        "date": datetime.now().date().isoformat(),
    }


def write(part: str, rows: Any) -> None:
    """Store the result of a part."""
    RESULTS.mkdir(exist_ok=True)
    text = json.dumps({"machine": machine(), "rows": rows}, indent=1)
    (RESULTS / f"{part}.json").write_text(text + "\n", encoding="utf-8")


def read(part: str) -> dict[str, Any] | None:
    """Return the result of a part, None if it has not been measured."""
    path = RESULTS / f"{part}.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else None
