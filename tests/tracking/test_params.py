"""Which of a configuration's values become params in MLflow."""

from typing import Any

from mlp.tracking.params import chosen_params

CONFIG: dict[str, Any] = {
    "model": {"_target_": "mlp.nn.MLP", "hidden_sizes": [128, 64], "dropout": 0.0, "l2": 0.0},
    "optimizer": {"_target_": "mlp.nn.Adam", "lr": 1e-3, "eps": 1e-8},
    "callbacks": {},
    "seed": 0,
}


def test_usual_ones_are_there_whatever_was_asked_for():
    assert chosen_params(CONFIG, []) == {
        "optimizer": "Adam",
        "model.hidden_sizes": "[128, 64]",
        "model.dropout": "0.0",
        "optimizer.lr": "0.001",
        "seed": "0",
    }


def test_others_are_there_if_they_were_asked_for():
    asked = ["experiment=a/b", "debug=null", "++optimizer.eps=1e-8", "~callbacks", "name=x=y"]
    found = chosen_params(CONFIG, asked)
    assert found["experiment"] == "a/b"
    assert found["optimizer.eps"] == "1e-08"
    assert "model.l2" not in found
