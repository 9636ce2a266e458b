"""Data: from a source to a Dataset, split into Parts, in minibatches. NumPy alone."""

from mlp.data.augment import (
    Affine,
    AffineElastic,
    Augmentation,
    Elastic,
    NoAugmentation,
    RowChange,
    Warp,
)
from mlp.data.batches import Batches
from mlp.data.cache import is_entry
from mlp.data.columns import CellError, Column, decode_row, encode_numbers
from mlp.data.dataset import Dataset, LabelType, Part, Parts, as_inputs
from mlp.data.deskew import Deskewer, DeskewingScaler
from mlp.data.inputs import read_inputs
from mlp.data.mnist import FashionMnist, Mnist
from mlp.data.npz import Npz
from mlp.data.packaged import Digits, Mnist5k
from mlp.data.preprocessing import TablePreprocessing, load_preprocessing
from mlp.data.ready_tables import Keel, Sklearn
from mlp.data.scaling import Scaler, fit_scaler
from mlp.data.source import Source, Targets
from mlp.data.split import split_rows
from mlp.data.table_files import Table
from mlp.data.tables import Csv, TableSource
from mlp.data.target_scaling import TargetScaler
from mlp.data.toys import Circles, Moons, Spirals

__all__ = [
    "Affine",
    "AffineElastic",
    "Augmentation",
    "Batches",
    "CellError",
    "Circles",
    "Column",
    "Csv",
    "Dataset",
    "Deskewer",
    "DeskewingScaler",
    "Digits",
    "Elastic",
    "FashionMnist",
    "Keel",
    "LabelType",
    "Mnist",
    "Mnist5k",
    "Moons",
    "NoAugmentation",
    "Npz",
    "Part",
    "Parts",
    "RowChange",
    "Scaler",
    "Sklearn",
    "Source",
    "Spirals",
    "Table",
    "TablePreprocessing",
    "TableSource",
    "TargetScaler",
    "Targets",
    "Warp",
    "as_inputs",
    "decode_row",
    "encode_numbers",
    "fit_scaler",
    "is_entry",
    "load_preprocessing",
    "read_inputs",
    "split_rows",
]
