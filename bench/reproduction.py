"""Write docs/reproduction.md: what the presets have measured, beside what was published.

    python bench/reproduction.py

It is made of the runs in runs/ that were presets as they are, whatever their seed, that have
finished and been tested. `make reproduce` makes such runs.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from math import ceil
from pathlib import Path
from statistics import mean, median, stdev

from mlp.config import compose, conf_dir
from mlp.runs import RunFolder, RunRecord, all_runs, judge, preset_of, read_history

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


def row(
    preset: str, published: Mapping[str, object], runs: Sequence[tuple[RunRecord, float]]
) -> str:
    """Return a line of the table, from a preset's runs and the seconds that each would take."""
    link, error = f"[{preset}](../conf/experiment/{preset}.yaml)", float(str(published["error"]))
    if not runs:
        cells = ["", "", "", "not run yet"]
    else:
        records, seconds = zip(*runs, strict=True)
        errors = [100 * (1 - record.test.metrics["accuracy"]) for record in records]
        verdict = judge(error, errors, records[0].data.n_test)
        spread = f"{stdev(errors):.2f}, {len(errors)}" if len(errors) > 1 else "1 seed"
        minutes = mean(seconds) / 60
        word = verdict.word + (", shortened" if published.get("shortened") else "")
        measured = f"{verdict.measured:.2f} ± {verdict.margin:.2f}"
        cells = [measured, spread, f"{minutes:.1f}", word]
    return "| " + " | ".join([link, f"{error:g}", *cells, str(published["source"])]) + " |"


def undisturbed_seconds(epochs: Sequence[float]) -> float:
    """Return what a training takes with the machine to itself, from the seconds of its epochs."""
    n_fastest = ceil(len(epochs) / 10)
    return len(epochs) * median(sorted(epochs)[:n_fastest])


def main() -> None:
    """Write the page."""
    by_preset = defaultdict(list)
    for record in all_runs():
        if isinstance(record, RunRecord) and record.status == "FINISHED" and record.verdict:
            folder = RunFolder.of(record.id)
            epochs = [epoch["seconds"] for epoch in read_history(folder)]
            by_preset[preset_of(folder)].append((record, undisturbed_seconds(epochs)))
    rows = []
    for path in sorted(conf_dir().glob("experiment/*.yaml")):
        published = compose([f"experiment={path.stem}"]).published
        if published:
            rows.append(row(path.stem, published, by_preset[path.stem]))
    TARGET.write_text(HEADER + "\n".join(rows) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
