"""Write docs/reproduction.md: what the presets have measured, beside what was published.

    python bench/reproduction.py

It is made of the runs in runs/ that were presets as they are, whatever their seed, that have
finished and been tested. `make reproduce` makes such runs.
"""

from collections.abc import Mapping, Sequence
from math import ceil
from pathlib import Path
from statistics import mean, median, stdev

from mlp.config import check, compose, conf_dir
from mlp.runs import Repeat, find_preset, judge, read_history

TARGET = Path(__file__).parents[1] / "docs" / "reproduction.md"
HEADER = """# Published results, reproduced

Each row is a preset of [conf/experiment/](../conf/experiment), run as it is: its file names
the source, says what the paper leaves open, and what is shorter here. *Measured* is the mean
of the seeds with its 95 % interval, for the size of the test set and the seeds; *reproduced* means
that the published error lies in it. No setting was chosen by the test set. *Minutes* are those of
an undisturbed training: its epochs, each as long as the median of the fastest tenth of them.

`make reproduce` runs the presets, goes on where it was interrupted, and writes this page.

| preset | published % | measured % | std, seeds | minutes | verdict | source |
|---|---:|---:|---:|---:|---|---|
"""


def row(preset: str, published: Mapping[str, object], runs: Sequence[Repeat]) -> str:
    """Return a line of the table, from a preset's runs."""
    link, error = f"[{preset}](../conf/experiment/{preset}.yaml)", float(str(published["error"]))
    if not runs:
        cells = ["", "", "", "not run yet"]
    else:
        errors = [100 * (1 - run.record.test.metrics["accuracy"]) for run in runs]
        verdict = judge(error, errors, runs[0].record.data.n_test)
        spread = f"{stdev(errors):.2f}, {len(errors)}" if len(errors) > 1 else "1 seed"
        minutes = mean(map(undisturbed_seconds, runs)) / 60
        word = verdict.word + (", shortened" if published.get("shortened") else "")
        measured = f"{verdict.measured:.2f} ± {verdict.margin:.2f}"
        cells = [measured, spread, f"{minutes:.1f}", word]
    return "| " + " | ".join([link, f"{error:g}", *cells, str(published["source"])]) + " |"


def undisturbed_seconds(run: Repeat) -> float:
    """Return what a training takes with the machine to itself, from the seconds of its epochs."""
    seconds = sorted(epoch["seconds"] for epoch in read_history(run.folder))
    n_epochs = len(seconds)
    if run.config["refit"]:  # from the beginning, and with the rows that had been for validation
        data = run.record.data
        n_epochs += run.record.best.epoch * (data.n_train + data.n_val) / data.n_train
    return n_epochs * median(seconds[: ceil(len(seconds) / 10)])


def main() -> None:
    """Write the page."""
    rows = []
    for path in sorted(conf_dir().glob("experiment/*.yaml")):
        preset = compose([f"experiment={path.stem}"])
        if preset.published:
            side = find_preset(path.stem, check(preset).config)
            runs = [run for run in side.runs if run.record.verdict] if side else []
            rows.append(row(path.stem, preset.published, runs))
    TARGET.write_text(HEADER + "\n".join(rows) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
