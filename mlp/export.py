"""Write a stored run as an ONNX model that takes raw inputs.

A sweep stands for its best run.
"""

from pathlib import Path

from mlp import runs
from mlp.base import Parser, command

RUN = "latest, best, an id or its beginning, a name, a folder; a sweep: its best run"


@command
def main() -> None:
    """Export the run that the command line names."""
    parser = Parser("mlp export", description=__doc__)
    parser.add_argument("run", metavar="RUN", help=RUN)
    parser.add_argument("--onnx", required=True, type=Path, metavar="FILE", help="where to write")
    arguments = parser.parse_args()
    export(arguments.run, arguments.onnx)


def export(reference: str, path: Path) -> None:
    """Write the run that a reference means, see `mlp.onnx.onnx_model`, and print its interface.

    Raises
    ------
    UserError
        When the run or the file is not acceptable.
    """
    from mlp.onnx import signature, write_onnx
    from mlp.training import Predictor

    folder = runs.find_training(reference)
    runs.refuse_links(folder)
    runs.check_own_classes(runs.read_config(folder), runs.read_training(folder), folder)
    graph = write_onnx(Predictor.load(folder.weights), path).graph
    print(path)
    for title, values in {"inputs": graph.input, "outputs": graph.output}.items():
        rows = signature(values)
        width = max(len(name) for name, _, _ in rows)
        for name, kind, shape in rows:
            print(f"{title:9}{name:{width}}  {kind}  {shape}")
            title = ""


if __name__ == "__main__":
    main()
