"""onnxruntime, given raw inputs, answers as `Predictor` does."""

import json
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import pytest

from mlp.data import Column, DeskewingScaler, Scaler, TargetScaler
from mlp.data.columns import encode_table
from mlp.data.preprocessing import fit_preprocessing
from mlp.nn import (
    MLP,
    Activation,
    ActivationFunction,
    BinaryCrossEntropy,
    Layer,
    MeanSquaredError,
    SoftmaxCrossEntropy,
)
from mlp.nn.activations import ACTIVATIONS
from mlp.onnx import onnx_model
from mlp.training import BinaryClassification, Classification, Ensemble, Predictor, Regression

onnx = pytest.importorskip("onnx")
onnxruntime = pytest.importorskip("onnxruntime")

COLUMNS = (
    Column("size in m²", "numeric"),
    Column("year", "numeric"),
    Column("new", "boolean"),
    Column("city", "categorical", ("A", "B", "Köln")),
    Column("side", "categorical", ("left", "right")),
    Column("constant", "categorical", ("same",)),
)


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    """A table with gaps in each column that can have some, and a year that is far from 0."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "size in m²": rng.lognormal(3, 2, 80),
            "year": 2e6 + rng.normal(size=80),
            "new": rng.choice(["true", "False"], 80),
            "city": rng.choice(["A", "B", "Köln"], 80),
            "side": rng.choice(["left", "right"], 80),
            "constant": "same",
        }
    ).astype({"new": object, "city": object, "side": object})
    for i, name in enumerate(("size in m²", "new", "city", "side")):
        frame.loc[i :: 7 + i, name] = np.nan
    return frame


def make_network(model, loss, n_in, n_out):
    """Build a network with random parameters and running statistics."""
    rng = np.random.default_rng(1)
    network = model.build(n_in, n_out, loss, rng)
    network.params += rng.normal(scale=0.3, size=network.params.shape)
    network.state[:] = rng.uniform(0.5, 2, network.state.shape)
    return network


def array_case(model, loss=None, task=None, n_out=3):
    """Return a predictor of arrays, and raw inputs."""
    rng = np.random.default_rng(2)
    network = make_network(model, loss or SoftmaxCrossEntropy(), 5, n_out)
    scaler = Scaler(np.linspace(-2, 3, 5, dtype=np.float32), np.full(5, 0.5, np.float32))
    names = ["no", "yes"] if n_out == 1 else [f"class {i}" for i in range(n_out)]
    return Predictor(network, scaler, names, 16, task), rng.normal(0, 3, (40, 5))


def table_case(frame, task=None, targets=None, dtype="float32", **options):
    """Return a predictor of a table's rows."""
    x = encode_table(COLUMNS, frame)
    table = fit_preprocessing(COLUMNS, x, np.arange(60), **{"scale": "robust"} | options)
    loss = MeanSquaredError("identity") if targets else SoftmaxCrossEntropy()
    network = make_network(MLP((7,), dtype=dtype), loss, table.n_in, 2)
    return Predictor(network, table, ["first", "second"], 16, task, targets)


def computed(predictor, x):
    """Return what onnxruntime computes from raw inputs, by the outputs' names."""
    model = onnx_model(predictor)
    onnx.checker.check_model(model, full_check=True)
    session = onnxruntime.InferenceSession(model.SerializeToString())
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(None, x), strict=True))


def assert_equal(predictor, x, inputs):
    answers, computed_ = predictor.answers(x), computed(predictor, inputs)
    assert list(computed_) == ["label", "probabilities"]
    np.testing.assert_allclose(computed_["probabilities"], answers, rtol=0, atol=1e-6)
    np.testing.assert_array_equal(computed_["label"], predictor.predict(x))


def columns_of(frame):
    """Return a table as the model takes it."""
    numbers = frame.replace({"new": {"true": 1, "False": 0}})
    return {
        column.name: frame[[column.name]].fillna("").to_numpy(object)
        if column.kind == "categorical"
        else numbers[[column.name]].to_numpy(np.float64)
        for column in COLUMNS
    }


@pytest.mark.parametrize("dtype", ["float32", "float64"])
class TestNetwork:
    @pytest.mark.parametrize("activation", [*ACTIVATIONS, "maxout:3"])
    def test_activation(self, activation, dtype):
        predictor, x = array_case(MLP((8, 6), activation, dtype=dtype))
        assert_equal(predictor, x, {"x": x.astype(dtype)})

    def test_every_layer_in_evaluation_mode(self, dtype):
        model = MLP(
            (8, 6), batch_norm=True, dropout=0.5, input_dropout=0.2, input_scale=True, dtype=dtype
        )
        predictor, x = array_case(model)
        assert_equal(predictor, x, {"x": x.astype(dtype)})

    def test_no_hidden_layer(self, dtype):
        predictor, x = array_case(MLP((), dtype=dtype))
        assert_equal(predictor, x, {"x": x.astype(dtype)})

    def test_one_output_for_two_classes(self, dtype):
        predictor, x = array_case(
            MLP((8,), dtype=dtype), BinaryCrossEntropy(), BinaryClassification(), n_out=1
        )
        assert_equal(predictor, x, {"x": x.astype(dtype)})

    @pytest.mark.parametrize("activation", ["identity", "sigmoid", "tanh"])
    def test_scores_of_the_squared_error(self, activation, dtype):
        predictor, x = array_case(MLP((8,), dtype=dtype), MeanSquaredError(activation))
        outputs = computed(predictor, {"x": x.astype(dtype)})
        np.testing.assert_allclose(outputs["scores"], predictor.answers(x), rtol=1e-6, atol=1e-6)
        np.testing.assert_array_equal(outputs["label"], predictor.predict(x))


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_float64_is_computed_in_float64(activation):
    model = MLP((8,), activation, batch_norm=True, dtype="float64")
    predictor, x = array_case(model, MeanSquaredError("identity"))
    scores = computed(predictor, {"x": x})["scores"]
    np.testing.assert_allclose(scores, predictor.answers(x), rtol=1e-9, atol=1e-9)


def leaning_strokes():
    """Return images of shape (40, 9 · 8) of strokes that lean, one without ink, one flat."""
    rng = np.random.default_rng(3)
    r, c = np.indices((9, 8))
    lean = rng.uniform(-1, 1, (40, 1, 1))
    images = np.maximum(1 - np.abs(c - 3.5 - lean * (r - 4)), 0) * rng.uniform(0.5, 1, (40, 9, 8))
    images[0], images[1], images[1, 4] = 0, 0, 1
    return (255 * images).astype(np.uint8).reshape(40, -1)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_deskewed_images(dtype):
    network = make_network(MLP((8,), dtype=dtype), SoftmaxCrossEntropy(), 72, 3)
    factor = np.full(72, 1 / 255, np.float32)
    scaler = DeskewingScaler(np.zeros(72, np.float32), factor, (9, 8))
    x = leaning_strokes()
    assert_equal(Predictor(network, scaler, ["a", "b", "c"], 16), x, {"x": x.astype(dtype)})


class TestTable:
    @pytest.mark.parametrize("scale", ["unit", "standardize", "robust", "none"])
    @pytest.mark.parametrize("flags", [False, True])
    def test_gaps_and_categories(self, frame, scale, flags):
        options = {"missing_indicators": flags, "unknown_column": flags}
        if scale == "none":
            frame = frame.assign(year=frame["year"] - 2e6)
        predictor = table_case(frame, scale=scale, **options)
        assert_equal(predictor, frame, columns_of(frame))

    def test_a_category_that_is_new(self, frame):
        frame = frame.assign(city="Rome", side=["left", "middle"] * 40)
        assert_equal(table_case(frame), frame, columns_of(frame))
        assert_equal(table_case(frame, unknown_column=True), frame, columns_of(frame))

    @pytest.mark.parametrize("dtype", ["float32", "float64"])
    def test_two_numbers_in_their_own_units(self, frame, dtype):
        targets = TargetScaler(np.array([5e6, -1.0]), np.array([1e4, 0.1]))
        predictor = table_case(frame, Regression(), targets, dtype)
        outputs = computed(predictor, columns_of(frame))
        assert list(outputs) == ["prediction"]
        error = (outputs["prediction"] - predictor.answers(frame)) / targets.deviation
        assert np.abs(error).max() < 1e-6

    def test_inputs_are_the_columns(self, frame):
        model = onnx_model(table_case(frame))
        types = {i.name: i.type.tensor_type.elem_type for i in model.graph.input}
        assert types == {
            column.name: onnx.TensorProto.STRING
            if column.kind == "categorical"
            else onnx.TensorProto.DOUBLE
            for column in COLUMNS
        }

    def test_names_of_the_answers_are_in_the_metadata(self, frame):
        (entry,) = onnx_model(table_case(frame)).metadata_props
        assert (entry.key, json.loads(entry.value)) == ("classes", ["first", "second"])

    def test_a_column_with_the_name_of_an_output_is_refused(self, frame):
        predictor = table_case(frame)
        columns = (replace(COLUMNS[0], name="label"), *COLUMNS[1:])
        predictor.scaler = replace(predictor.scaler, columns=columns)
        with pytest.raises(ValueError, match="name 'label' of an input is taken"):
            onnx_model(predictor)

    def test_a_column_may_have_any_other_name(self, frame):
        predictor = table_case(frame)
        inner = [node.output[0] for node in onnx_model(predictor).graph.node]
        columns = tuple(replace(c, name=name) for c, name in zip(COLUMNS, inner, strict=False))
        predictor.scaler = replace(predictor.scaler, columns=columns)
        renamed = dict(zip(inner, columns_of(frame).values(), strict=False))
        named = frame.set_axis(inner[: len(COLUMNS)], axis=1)
        assert_equal(predictor, named, renamed)


class Square(ActivationFunction):
    reads = "z"

    def forward(self, z, out, scratch):
        np.square(z, out=out)

    def backward(self, z, a, delta, scratch):
        delta *= 2 * z


class OwnActivation(Activation):
    pass


@dataclass(frozen=True)
class OwnModel(MLP):
    def layers(self, n_in: int, n_out: int) -> list[Layer]:
        return [OwnActivation(n_in, "tanh"), *super().layers(n_in, n_out)]


class Ordinal(Classification):
    def answers(self, outputs, scaler):
        return np.cumsum(outputs, axis=1)


class TestEnsemble:
    def test_mean_of_members_that_prepare_a_table_each_in_its_own_way(self, frame):
        members = [table_case(frame), table_case(frame, scale="unit", unknown_column=True)]
        assert_equal(Ensemble(members), frame, columns_of(frame))

    def test_mean_of_numbers(self, frame):
        targets = [TargetScaler(np.array([5.0, m]), np.array([1.0, 2.0])) for m in (-1, 1, 2)]
        ensemble = Ensemble([table_case(frame, Regression(), t) for t in targets])
        prediction = computed(ensemble, columns_of(frame))["prediction"]
        np.testing.assert_allclose(prediction, ensemble.answers(frame), rtol=0, atol=2e-6)

    def test_members_of_different_precisions(self, frame):
        members = [table_case(frame, dtype=dtype) for dtype in ("float32", "float64")]
        assert_equal(Ensemble(members), frame, columns_of(frame))

    def test_members_that_take_different_arrays_are_refused(self):
        members = [array_case(MLP((8,), dtype=dtype))[0] for dtype in ("float32", "float64")]
        with pytest.raises(ValueError, match="name 'x' of an input is taken"):
            onnx_model(Ensemble(members))


class Rounding(Scaler):
    def transform(self, x, out):
        return np.round(super().transform(x, out), out=out)


class TestOnesOwn:
    def test_activation_is_refused_by_its_name(self):
        predictor, _ = array_case(MLP((8,), f"{__name__}.Square"))
        with pytest.raises(ValueError, match=r"activation .*Square is not one of mlp's own"):
            onnx_model(predictor)

    def test_layer_is_refused_by_its_place(self):
        predictor, _ = array_case(OwnModel((8,)))
        with pytest.raises(ValueError, match=r"layer 1 \(tanh\) is not one of mlp's own"):
            onnx_model(predictor)

    def test_task_is_refused(self):
        predictor, _ = array_case(MLP((8,)), task=Ordinal())
        with pytest.raises(ValueError, match="task Ordinal is not one of mlp's own"):
            onnx_model(predictor)

    def test_preprocessing_is_refused(self):
        predictor, _ = array_case(MLP((8,)))
        predictor.scaler = Rounding(predictor.scaler.shift, predictor.scaler.factor)
        with pytest.raises(ValueError, match="preprocessing Rounding is not one of mlp's own"):
            onnx_model(predictor)
