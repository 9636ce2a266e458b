"""Write reproduction.md: what the presets have measured, beside what was published.

    python docs/reproduction.py

It is made of the runs in runs/ that were presets as they are, whatever their seed, that have
finished and been tested. `make reproduce` makes such runs.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import mean, stdev

from mlp.config import compose, conf_dir
from mlp.runs import RunFolder, RunRecord, all_runs, judge, preset_of

TARGET = Path(__file__).parent / "reproduction.md"
HEADER = """# Published results, reproduced

Each row is a preset of [conf/experiment/](../conf/experiment), run as it is: its file names
the source, says what the paper leaves open, and what is shorter here. *Measured* is the mean
of the seeds with its 95 % interval, for the size of the test set and the seeds; *reproduced* means
that the published error lies in it. No setting was chosen by the test set.

`make reproduce` runs the presets, goes on where it was interrupted, and writes this page.

| preset | published % | measured % | std, seeds | minutes | verdict | source |
|---|---:|---:|---:|---:|---|---|
"""


def row(preset: str, published: Mapping[str, object], records: Sequence[RunRecord]) -> str:
    """Return a line of the table."""
    link, error = f"[{preset}](../conf/experiment/{preset}.yaml)", float(str(published["error"]))
    if not records:
        cells = ["", "", "", "not run yet"]
    else:
        tests = [record.test.metrics["accuracy"] for record in records if record.test]
        errors = [100 * (1 - accuracy) for accuracy in tests]
        verdict = judge(error, errors, records[0].data.n_test)
        spread = f"{stdev(errors):.2f}, {len(errors)}" if len(errors) > 1 else "1 seed"
        minutes = mean(record.seconds for record in records) / 60
        word = verdict.word + (", shortened" if published.get("shortened") else "")
        measured = f"{verdict.measured:.2f} ± {verdict.margin:.2f}"
        cells = [measured, spread, f"{minutes:.1f}", word]
    return "| " + " | ".join([link, f"{error:g}", *cells, str(published["source"])]) + " |"


def main() -> None:
    """Write the page."""
    by_preset = defaultdict(list)
    for record in all_runs():
        if isinstance(record, RunRecord) and record.status == "FINISHED" and record.verdict:
            by_preset[preset_of(RunFolder.of(record.id))].append(record)
    rows = []
    for path in sorted(conf_dir().glob("experiment/*.yaml")):
        published = compose([f"experiment={path.stem}"]).published
        if published:
            rows.append(row(path.stem, published, by_preset[path.stem]))
    TARGET.write_text(HEADER + "\n".join(rows) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
