"""The report of a run or of a sweep: one HTML page that shows all that is known of it."""

from collections.abc import Collection, Mapping
from pathlib import Path
from statistics import fmean
from typing import Any

from mlp import runs
from mlp.base import counted
from mlp.reports.charts import MAX_POINTS, run_charts
from mlp.reports.curves import with_companion
from mlp.reports.html_page import figures_of, write_page
from mlp.reports.main_effects import main_effects
from mlp.reports.sweep_charts import TOP, colour_of, sweep_charts
from mlp.reports.sweep_figures import heights_of
from mlp.reports.verdicts import verdicts_on
from mlp.runs import Leaderboard, RunFolder, RunRecord, SweepRecord

MAX_CURVES = 1000  # runs whose curves are drawn
N_COMPARED = 3  # settings between which there are verdicts
Cell = str | tuple[str, float]  # its text, and the number for which that stands if it is none
Values = dict[str, Any]  # what a template shows, by name


def write_sweep_report(folder: RunFolder, board: Leaderboard, path: Path) -> None:
    """Write the report of a sweep.

    Parameters
    ----------
    folder : RunFolder
    board : Leaderboard
        Of its runs.
    path : Path
        The HTML file.

    Raises
    ------
    RunError
        When the file cannot be written.
    """
    record, best = runs.read_sweep(folder), board.winner
    ranked = [run for row in board.rows for run in row.runs]
    histories = {run.id: runs.read_history(RunFolder.of(run.id)) for run in ranked[:MAX_CURVES]}
    first = next((rows[0] for rows in histories.values() if rows), {})
    _, outliers, _ = heights_of([row.values for row in board.rows], board.metric)
    of_search = figures_of(folder, but=("axes", "curves", "parallel"))  # importance.png
    values = {
        "kind": "sweep",
        "title": record.name,
        "lead": _summary(record, board),
        "metric": board.metric,
        **_table(board),
        "n_coloured": min(TOP, len(board.rows)),
        "note": _thinned(max(map(len, histories.values()))),
        "n_without_curve": len(ranked) - len(histories),
        "n_clipped": int(outliers.sum()),
        "shares": {} if of_search else _importances(board),
        "verdicts": _verdicts(board),
        "of_search": of_search,
        "figures_title": f"The best run: {best.name}",
        "figures": figures_of(RunFolder.of(best.id)),
        "provenance": _provenance(best),
        "commands": {
            "Train the best run again, and compare bit by bit": f"mlp reproduce {best.id[:8]}",
            "Repeat or continue the sweep": record.command,
        },
    }
    charts = sweep_charts(board, histories, with_companion(board.metric, first))
    write_page(path, "sweep.html", values | {"ids": list(charts)}, charts)


def write_run_report(folder: RunFolder, path: Path, unusual: Collection[str]) -> None:
    """Write the report of a run.

    Parameters
    ----------
    folder : RunFolder
    path : Path
        The HTML file.
    unusual : collection of str
        The dotted keys that differ from the defaults, as `Console.show_config` takes them.

    Raises
    ------
    RunError
        When the run cannot be read, or the file cannot be written.
    """
    record, history = runs.read_training(folder), runs.read_history(folder)
    config = {} if record.members else runs.read_config(folder)  # an ensemble has no single one
    results = runs.results_in_words(record)
    values = {
        "kind": "run",
        "title": record.name,
        "lead": list(filter(None, [*_description(record), runs.verdict_in_words(record)]))
        + list(runs.findings_in_words(record)),
        "results": results if len(results) > 1 else [],
        "note": _thinned(len(history)),
        "differing": _in_words(_entries(config, unusual)),
        "config": _in_words(runs.flat(config)),
        "figures_title": "Figures",
        "figures": figures_of(folder, but=("curves",)),
        "provenance": _provenance(record),
        "commands": {
            "Train it again, and compare bit by bit": f"mlp reproduce {record.id[:8]}",
            "As it was started": record.command,
        },
    }
    charts = run_charts(history, record.best.epoch if record.best else None) if history else {}
    write_page(path, "run.html", values | {"ids": list(charts)}, charts)


def _description(record: RunRecord) -> list[str]:
    model, data = record.model, record.data
    rows = {"train": data.n_train, "validate": data.n_val, "test": data.n_test}
    parts = ", ".join(f"{n:,} rows to {use}" for use, n in rows.items() if n)
    cost = f"{counted(record.epochs, 'epoch')} and {record.seconds:.1f} s"
    ended = f"{record.status.capitalize()} after {cost}"
    return [
        f"{', '.join(model.layers)} ({model.n_parameters:,} parameters), {model.loss}, on "
        f"{data.name}: {parts}.",
        f"{ended}: {record.stop_reason}." if record.stop_reason else f"{ended}.",
    ]


def _summary(record: SweepRecord, board: Leaderboard) -> list[str]:
    """Return what was found, and what was tried."""
    best, others = board.rows[0], [run.state for run in board.others]
    found = f"Best: {best.name}, {board.metric} {best.in_words(board.metric)}"
    for metric in board.test_metrics:
        if values := best.tests(metric):
            found += f", test {metric} {runs.mean_in_words(metric, values)}"
    counts = [f"{board.n_runs - len(others):,} finished"]
    counts += [f"{others.count(state):,} {state}" for state in dict.fromkeys(others)]
    tried = f"{len(board.rows):,} settings of {', '.join(runs.short_keys(board.keys).values())}"
    return [f"{found}.", f"{tried}, on {board.winner.data.name}. Runs: {', '.join(counts)}."]


def _table(board: Leaderboard) -> Values:
    """Return the leaderboard; a row has the number of its setting in the charts, and a colour."""
    names, tests, n = runs.short_keys(board.keys), board.test_metrics, len(board.rows)
    header = ["#", *names.values(), board.metric, "epoch", "seconds"]
    rows: list[tuple[int | None, str | None, list[Cell]]] = []
    for rank, row in enumerate(board.rows, 1):
        value = row.in_words(board.metric), row.mean
        tested = [_mean(metric, row.tests(metric)) for metric in tests]
        ids = " ".join(run.id[:8] for run in row.runs)
        cells: list[Cell] = [str(rank), *_params(board, row.params), value]
        cells += [*_cost(row.best_epoch, row.seconds), *tested, ids]
        rows.append((n - rank, colour_of(rank - 1), cells))
    for run in board.others:
        cells = ["", *_params(board, board.params[run.id]), run.state]
        cells += [*_cost(run.epochs, run.seconds), *[""] * len(tests), run.id[:8]]
        rows.append((None, None, cells))
    return {
        "header": [*header, *(f"test {metric}" for metric in tests), "run"],
        "rows": rows,
        "example": f"{board.metric}<{board.rows[n // 2].mean:.3g}",
    }


def _params(board: Leaderboard, params: Mapping[str, Any]) -> list[str]:
    return [runs.in_words(params.get(key, "")) for key in board.keys]


def _cost(epochs: float, seconds: float) -> list[str]:
    return [f"{epochs:.0f}", f"{seconds:.1f}"]


def _mean(metric: str, values: list[float]) -> Cell:
    return (runs.mean_in_words(metric, values), fmean(values)) if values else ""


def _importances(board: Leaderboard) -> dict[str, float]:
    """Return how much each parameter matters, by its short name."""
    names = runs.short_keys(board.keys)
    settings = [(row.params, value) for row in board.rows for value in row.values]
    columns = {name: [params.get(key, "") for params, _ in settings] for key, name in names.items()}
    return main_effects(columns, [value for _, value in settings])


def _verdicts(board: Leaderboard) -> list[str]:
    """Return what the seeds say of the best settings, each two of them compared."""
    n_top = min(N_COMPARED, len(board.rows))
    sides = [runs.side_of(board, rank, f"#{rank}") for rank in range(1, n_top + 1)]
    alike = [side for side in sides if len(side.runs) == len(sides[0].runs)]
    return verdicts_on(alike) if len(alike) > 1 else []


def _thinned(n_epochs: int) -> str:
    return f"{MAX_POINTS} of {n_epochs} epochs are drawn." if n_epochs > MAX_POINTS else ""


def _entries(config: Mapping[str, Any], keys: Collection[str]) -> Values:
    """Return the values under some dotted keys; a group stands for its class."""
    values: Values = {}
    for key, value in config.items():
        own = {f"{key}.{k}": v for k, v in value.items()} if isinstance(value, Mapping) else {}
        values |= {key: value, **own}
    return {
        key: value["_target_"].rpartition(".")[2]
        if isinstance(value, Mapping) and "_target_" in value
        else value
        for key, value in values.items()
        if key in keys
    }


def _in_words(values: Mapping[str, Any]) -> dict[str, str]:
    return {key: runs.in_words(value) for key, value in values.items()}


def _provenance(record: RunRecord) -> dict[str, str]:
    origin, git = record.provenance, record.provenance.git
    dirty = " with uncommitted changes" if git and git.dirty else ""
    facts = {
        "run": record.id,
        "started": f"{record.started:%Y-%m-%d %H:%M:%S} UTC",
        "code": f"{git.commit} ({git.branch}){dirty}" if git else "no checkout",
        "versions": ", ".join(f"{name} {number}" for name, number in origin.versions.items()),
        "BLAS": f"{origin.blas.library} {origin.blas.version}, threads: {origin.blas.threads}",
        "machine": f"{origin.host}, {origin.platform}",
        "data": f"{record.data.name}, sha256 {record.data.digest}",
        "split": record.data.split,
    }
    return {name: fact for name, fact in facts.items() if fact}
