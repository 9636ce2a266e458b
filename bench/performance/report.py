"""The page docs/performance.md, of what the parts have measured."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from textwrap import fill
from typing import Any

from bench.performance.figures import FLOOR, growth_figure, save, steps_figure
from bench.performance.loads import LOADS, LR
from bench.performance.peers import PEERS
from bench.performance.processes import ROOT
from bench.performance.results import read
from bench.performance.steps import FIRST, LAST, differences

PAGE = ROOT / "docs" / "performance.md"
TRIED = Path(__file__).with_name("tried.md")
INTRODUCTION = """# Performance

`make bench` measures all that is here and writes this page; each part stores its figures in
the folder `results` beside the scripts, and `python -m bench.performance PART` repeats one of
them. Nothing else ran meanwhile. Libraries choose their kernels for the processor themselves.

{machine}
"""
STEPS = """
## An epoch

Seconds of an epoch of MNIST's 60,000 training images, training only, in float32, with ReLU, sgd
and adam. Each peer has a process of its own, the processes take turns, an epoch each, and the best
of {rounds} counts, on one thread or two, whichever is faster (the small digit). *Matrix products*
alone, those of forward and backward passes with NumPy, are the least that a step in NumPy can take.

![Times of each peer in units of the matrix products alone]({figure})

{table}

Ours is the loop of a run, with its shuffling, its metrics and its checks for values that are not
finite. JAX compiles the whole epoch into one call, PyTorch uses its fused updates; they and
scikit-learn have the images as floats already, ours are bytes until they are in a batch.

All start from the same weights and take the same batches in the same order, so that they come to
the same losses but for rounding, which a training magnifies; scikit-learn also adds Adam's ε
elsewhere.
{losses}
"""
RUNS = """
## Whole commands

At the defaults: 3,600 digits, 784-128-64-10, batches of 128, Adam, until patience ends it; MLflow's
database exists. A terminal is there, and the seconds run from the command to what is said, the best
of several tries.

{table}
"""
BUSY = """
## A busy machine

Two neighbours spin, on {cores} cores. Seconds of an epoch, the median, with the number of threads
that the defaults choose and with `threads=1`.

{table}
"""
GROWTH = """
## Growth

{figure}

Each point is a process of its own, on one thread, and its memory is its own, without maps of files.
*Power* is k in seconds ~ nᵏ between the two largest sizes: 1 is in proportion.

{table}

*Epochs* are those of a stored run on small digits; *rows* of 784 bytes are mapped from a file and
taken once, by 784-30-10; *parameters* belong to one hidden layer, and take 20 batches of 128 with
Adam; *stored runs* are searched for the best one; the *table of runs* is `mlp.runs()`, with all
settings; *planned jobs* are composed and checked, and not run.
"""


def write_page() -> None:
    """Write the page and its figures from what there is."""
    parts = {"steps": steps, "runs": whole_commands, "busy": busy, "growth": growth}
    results = {part: result for part in parts if (result := read(part))}
    machines = {machine_in_words(result["machine"]): None for result in results.values()}
    text = INTRODUCTION.format(machine="\n\n".join(machines) or "Nothing has been measured yet.")
    text += "".join(parts[part](result) for part, result in results.items())
    if TRIED.exists():
        text += "\n" + TRIED.read_text(encoding="utf-8")
    PAGE.write_text(text, encoding="utf-8")


def machine_in_words(machine: dict[str, Any]) -> str:
    """Return a sentence."""
    return (
        "{date}: {processor}, {cores} cores, {memory_gb} GB; {system}; Python {python}, "
        "{peers}; {blas}."
    ).format(**machine | {"peers": ", ".join(machine["peers"])})


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table in Markdown, numbers to the right."""
    rule = ["---", *["---:"] * (len(head) - 1)]
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, rule, *rows))


def number(value: float) -> str:
    """Return three significant digits, no more than three after the point."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}" if value >= 1 else f"{value:.3f}"


def steps(result: dict[str, Any]) -> str:
    """Return the section on epochs."""
    rows = result["rows"]
    found = {(row["load"], row["optimizer"], row["peer"]): row for row in rows}
    peers = [peer for peer in PEERS if any(row["peer"] == peer for row in rows)]
    lines = []
    for optimizer in LR:
        for load in (load for load in LOADS if (load, optimizer, "ours") in found):
            here = [found[load, optimizer, peer] for peer in peers]
            ours = found[load, optimizer, "ours"]["seconds"]
            best = min(row["seconds"] for row in here if row["peer"] not in ("ours", FLOOR))
            times = [f"{number(row['seconds'])} <sub>{row['threads']}</sub>" for row in here]
            lines.append([f"{load} {LOADS[load]}, {optimizer}", *times, f"{ours / best:.2f}"])
    save(steps_figure(rows), PAGE.parent / "img" / "performance_steps.svg")
    return STEPS.format(
        rounds=rows[0]["epochs"],
        figure="img/performance_steps.svg",
        table=table(["load", *peers, "ours / best peer"], lines),
        losses=losses_in_words(rows),
    )


def losses_in_words(rows: Sequence[dict[str, Any]]) -> str:
    """Return by how much the peers' losses differ, and what is tolerated."""
    words, last = [], 0.0
    for optimizer in LR:
        differ = []
        for load in LOADS:
            same = [row for row in rows if (row["load"], row["optimizer"]) == (load, optimizer)]
            differ += [differences(same)] if same else []
        first = max(first for first, _ in differ)
        last = max(last, *(last for _, last in differ))
        words.append(f"{first:.2g} with {optimizer} (tolerated: {FIRST[optimizer]:g})")
    return fill(
        f"After one epoch they differ, relatively, by at most {' and '.join(words)}; after "
        f"{rows[0]['epochs']} epochs, absolutely, by at most {last:.2g} ({LAST:g}).",
        width=100,
    )


def whole_commands(result: dict[str, Any]) -> str:
    """Return the section on commands."""
    rows = [
        [row["what"], f"{row['seconds']:.2f}", f"≤ {row['goal']:.3g}" if row["goal"] else ""]
        for row in result["rows"]
    ]
    return RUNS.format(table=table(["", "seconds", "goal"], rows))


def busy(result: dict[str, Any]) -> str:
    """Return the section on neighbours."""
    rows = [
        [
            row["load"],
            number(row["defaults"]),
            number(row["threads=1"]),
            f"{row['defaults'] / row['threads=1']:.2f}",
        ]
        for row in result["rows"]
    ]
    head = ["load", "defaults", "threads=1", "ratio (goal: ≤ 1.3)"]
    return BUSY.format(cores=result["machine"]["cores"], table=table(head, rows))


def growth(result: dict[str, Any]) -> str:
    """Return the section on growth."""
    rows = []
    for row in result["rows"]:
        first, last = row["points"][0], row["points"][-1]
        sizes = f"{first['n']:,} → {last['n']:,}"
        seconds = f"{number(first['seconds'])} → {number(last['seconds'])}"
        memory = f"{first['mb']:.0f} → {last['mb']:.0f}"
        rows.append([row["axis"], sizes, seconds, f"{row['exponent']:.2f}", memory])
    save(growth_figure(result["rows"]), PAGE.parent / "img" / "performance_growth.svg")
    return GROWTH.format(
        figure="![Seconds and memory against size](img/performance_growth.svg)",
        table=table(["", "how many", "seconds", "power", "MB at most"], rows),
    )
