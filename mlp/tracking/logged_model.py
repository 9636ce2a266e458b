"""The trained network as an MLflow model: code and .npy files, no pickle."""

import shutil
import sys
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np

from mlp.data import TablePreprocessing, decode_row, load_preprocessing
from mlp.runs import RunFolder, RunRecord
from mlp.tracking.artifacts import store_files
from mlp.training import label_column

if TYPE_CHECKING:
    import pandas as pd
    from mlflow import MlflowClient
    from mlflow.entities import LoggedModel, Run
    from mlflow.models import Model, ModelSignature

PACKAGE = Path(__file__).resolve().parent.parent
NEEDED = ("__init__.py", "__init__.pyi", "base", "nn", "data", "training")


def log_model(folder: RunFolder, record: RunRecord, run: "Run", client: "MlflowClient") -> None:
    """Attach the model to its MLflow run, as ``runs:/<run id>/model``; once for a best epoch.

    A model whose delivery was interrupted is completed; that of an earlier best epoch, of a run
    that was resumed since, is replaced.
    """
    from mlflow.entities import LoggedModelOutput

    run_id, experiment = run.info.run_id, run.info.experiment_id
    step = int(record.metrics.get("epoch", 0))
    finished = run.outputs.model_outputs if run.outputs else []
    if any(output.step == step for output in finished):
        return
    for output in finished:
        client.delete_logged_model(output.model_id)
    begun = client.search_logged_models([experiment], f"source_run_id = '{run_id}'")
    model = (
        begun[0]
        if begun
        else client.create_logged_model(
            experiment, "model", source_run_id=run_id, params=run.data.params
        )
    )

    root, log = model.artifact_location, partial(client.log_model_artifact, model.model_id)
    shared = _shared_files(folder, record)
    with TemporaryDirectory() as temporary:
        shared.describe(record, folder, model).save(f"{temporary}/MLmodel")
        store_files([Path(temporary)], Path(temporary), root, log)
    store_files([shared.path], shared.path, root, log)
    store_files([folder.weights], folder.path, root, log, below="artifacts")
    client.finalize_logged_model(model.model_id, "READY")
    client.log_outputs(run_id, [LoggedModelOutput(model.model_id, step)])


class _SharedFiles:
    """The files that the models of a sweep share: all but their weights and their names.

    Parameters
    ----------
    folder : RunFolder
        Of one of the runs.
    record : RunRecord
    example : ndarray or DataFrame
        A raw row of their data.
    """

    def __init__(
        self, folder: RunFolder, record: RunRecord, example: "np.ndarray | pd.DataFrame"
    ) -> None:
        import mlflow.pyfunc
        from mlflow.models import Model

        self._directory = TemporaryDirectory()
        self.path = Path(self._directory.name) / "model"
        code = self.path.with_name("mlp")
        own_code = list(folder.code.iterdir()) if folder.code.exists() else []
        packages = ["lazy-loader", "mlflow", "numpy", "pandas"]
        for part in NEEDED:
            _copy(PACKAGE / part, code / part)
        self._description = Model()
        mlflow.pyfunc.save_model(
            self.path,
            python_model=str(PACKAGE / "tracking" / "served_model.py"),
            artifacts={"weights": str(folder.weights)},
            code_paths=[str(code), *map(str, own_code)],
            mlflow_model=self._description,
            signature=_signature(record),
            input_example=example,
            pip_requirements=[f"{name}=={version(name)}" for name in packages],
        )
        for module in [name for name in sys.modules if name.startswith("code_model_")]:
            del sys.modules[module]  # MLflow imports the code to check it, and keeps each import
        shutil.rmtree(self.path / "artifacts")  # a copy of the weights
        (self.path / "MLmodel").unlink()
        for compiled in list(self.path.rglob("__pycache__")):
            shutil.rmtree(compiled)
        self._size = _size(self.path)

    def describe(self, record: RunRecord, folder: RunFolder, model: "LoggedModel") -> "Model":
        """Return MLflow's description of a run's model."""
        values = self._description.to_dict()
        weights = {"path": "artifacts/weights", "uri": str(folder.weights)}
        flavor = values["flavors"]["python_function"] | {"artifacts": {"weights": weights}}
        return type(self._description).from_dict(
            values
            | {
                "flavors": {"python_function": flavor},
                "artifact_path": model.artifact_location,
                "run_id": model.source_run_id,
                "model_uuid": model.model_id,
                "model_id": model.model_id,
                "utc_time_created": f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S.%f}",
                "model_size_bytes": self._size + _size(folder.weights),
                "metadata": {
                    "run": record.name,
                    "columns": record.data.columns,
                    "classes": record.data.classes,
                    "targets": record.data.targets,
                },
            }
        )

    def remove(self) -> None:
        """Remove the files."""
        self._directory.cleanup()


_last: tuple[Any, _SharedFiles] | None = None


def _shared_files(folder: RunFolder, record: RunRecord) -> _SharedFiles:
    """Return what the model of a run shares with the last one's, if they are of one kind."""
    global _last
    example, data = _example(folder, record), record.data
    row = example.tolist() if isinstance(example, np.ndarray) else example.to_json()
    own_code = {name: own.digest for name, own in record.code.items()}
    kind = row, data.columns, data.classes, data.targets, own_code
    if _last is None or _last[0] != kind:
        if _last:
            _last[1].remove()
        _last = kind, _SharedFiles(folder, record, example)
    return _last[1]


def _signature(record: RunRecord) -> "ModelSignature":
    """Return the names of what goes in and comes out, and the types of the latter.

    The types of inputs are left open: fixed ones would refuse bytes as pixels, or integers in a
    column of numbers; what does not fit is refused by the model.
    """
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, Schema
    from mlflow.types.schema import AnyType

    data = record.data
    inputs = [ColSpec(AnyType(), name, required=False) for name in data.columns]
    outputs = [ColSpec("string", label_column(data.classes))] if data.classes else []
    outputs += [ColSpec("float", name) for name in data.classes]
    outputs += [ColSpec("double", name) for name in data.targets]
    return ModelSignature(Schema([*inputs]) if inputs else None, Schema([*outputs]))


def _example(folder: RunFolder, record: RunRecord) -> "np.ndarray | pd.DataFrame":
    """Return a raw row of the training data; of a table, with its columns by name."""
    row: np.ndarray = np.load(folder.example, allow_pickle=False)
    if not record.data.columns:
        return row
    import pandas as pd

    weights = folder.weights / "1" if record.members else folder.weights  # all take the same rows
    preprocessing = load_preprocessing(weights)
    assert isinstance(preprocessing, TablePreprocessing)
    return pd.DataFrame([decode_row(preprocessing.columns, row[0])])


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _copy(source: Path, target: Path) -> None:
    if source.is_dir():
        shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
    else:
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(source, target)
