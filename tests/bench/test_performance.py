"""What `make bench` measures with, without measuring."""

from pathlib import Path

import pytest

from bench.performance import growth, loads, peers, report, results, steps
from bench.performance.processes import watch


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BENCH_SMALL", "1")


@pytest.mark.parametrize(("optimizer", "tolerance"), [("sgd", 1e-5), ("adam", 0.02)])
def test_peers_come_to_the_same_loss(optimizer: str, tolerance: float):
    """Those that are always there, on 4,000 digits."""
    rows = []
    for peer in (peers.ours, peers.scikit_learn):
        training = peer(loads.LOADS["A"], optimizer)
        training.epoch(1)
        rows.append({"losses": [loads.mean_loss(training.weights())] * 2})
    assert 0.1 < rows[0]["losses"][0] < 1
    assert steps.differences(rows)[0] < tolerance


def test_a_command_is_watched():
    """When something is on the screen, how long it takes, and what it needs of memory."""
    code = "print('test  93.0%', flush=True); x = b'1' * 50_000_000; import time; time.sleep(0.2)"
    watched = watch(["-c", code])
    assert watched.shown(r"\btest\b.*%") < watched.seconds - 0.2
    assert 50 < watched.peak_mb < 100
    with pytest.raises(RuntimeError, match="ended with 3"):
        watch(["-c", "raise SystemExit(3)"])


def test_exponent_of_growth():
    """Between the two largest sizes."""
    points = [{"n": n, "seconds": seconds} for n, seconds in ((1, 1), (10, 2), (100, 200))]
    assert growth.exponent(points) == pytest.approx(2)


@pytest.mark.e2e
def test_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """It has what was measured, and figures."""
    (tmp_path / "docs" / "img").mkdir(parents=True)
    monkeypatch.setattr(report, "PAGE", tmp_path / "docs" / "performance.md")
    monkeypatch.setattr(results, "RESULTS", tmp_path)
    times = {"matrix products": 0.1, "JAX jit": 0.2, "ours": 0.15}
    common = {"load": "A", "threads": 1, "epochs": 2}
    epochs = [
        common | {"optimizer": o, "peer": p, "seconds": s, "losses": [0.5 * (s > 0.1)] * 2}
        for o in ("sgd", "adam")
        for p, s in times.items()
    ]
    results.write("steps", epochs)
    points = [{"n": n, "seconds": n / 1000, "mb": 50 + n} for n in (10, 100)]
    results.write("growth", [{"axis": "rows", "points": points, "exponent": 1.0}])
    report.write_page()
    page = (tmp_path / "docs" / "performance.md").read_text()
    assert "| 0.100 <sub>1</sub> | 0.200 <sub>1</sub> | 0.150 <sub>1</sub> | 0.75 |" in page
    assert "| rows | 10 → 100 | 0.010 → 0.100 | 1.00 | 60 → 150 |" in page
    assert "## Whole commands" not in page
    assert len(list((tmp_path / "docs" / "img").iterdir())) == 2
