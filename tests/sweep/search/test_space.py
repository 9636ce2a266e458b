"""Search spaces: what they hold, what a condition does, what is refused."""

import json
from typing import Any

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser

from mlp.base import ConfigError
from mlp.sweep.search.dimensions import Choice, Dimension, Float, Int
from mlp.sweep.search.space import Space, read_override, read_space

LR = {"kind": "float", "low": 1e-4, "high": 0.1, "log": True}
CONDITIONAL = {
    "optimizer": {"kind": "choice", "values": ["adam", "momentum", "nesterov"]},
    "optimizer.lr": LR,
    "optimizer.momentum": {
        "kind": "float",
        "low": 0.5,
        "high": 0.9,
        "step": 0.2,
        "when": {"optimizer": ["momentum", "nesterov"]},
    },
}


def space(**dimensions: Any) -> Space:
    return Space(read_space(dimensions))


def word(text: str) -> Dimension:
    """What a word on the command line describes."""
    [override] = OverridesParser.create().parse_overrides([text])
    return read_override(override)


class Highest:
    """Stands for Optuna's trial, and always suggests the last value."""

    def suggest_categorical(self, name: str, choices: list[Any]) -> Any:
        return choices[-1]

    def suggest_int(self, name: str, low: int, high: int, **_: Any) -> int:
        return high

    def suggest_float(self, name: str, low: float, high: float, **_: Any) -> float:
        return high


class TestRead:
    def test_kinds(self):
        found = read_space(
            {
                "optimizer.lr": LR,
                "trainer.batch_size": {"kind": "int", "low": 32, "high": 96, "step": 32},
                "model.hidden_sizes": {"kind": "choice", "values": [[64], [128, 64]]},
            }
        )
        assert found == {
            "optimizer.lr": Float(1e-4, 0.1, log=True),
            "trainer.batch_size": Int(32, 96, 32),
            "model.hidden_sizes": Choice([[64], [128, 64]]),
        }

    @pytest.mark.parametrize(
        ("dimension", "message"),
        [
            (LR | {"low": 1.0}, "lr.low must be at most high, 0.1, got 1"),
            (LR | {"low": 0.0}, "lr.low must be greater than 0 for log, got 0"),
            (LR | {"low": "small"}, "lr.low must be a valid number, got 'small'"),
            (LR | {"high": float("inf")}, "lr.high must be a finite number, got inf"),
            (LR | {"high": float("nan")}, "lr.high must be a finite number, got nan"),
            (LR | {"step": 0.1}, "lr.step must be null for log"),
            (LR | {"log": False, "step": 0.0}, "lr.step must be greater than 0, got 0.0"),
            (LR | {"hihg": 1}, "unknown key 'sweep.space.lr.hihg'; did you mean 'high'?"),
            ({"kind": "float", "low": 1}, "lr.high must be given"),
            ({"kind": "int", "low": 0.5, "high": 2}, "lr.low must be a valid integer, got 0.5"),
            (LR | {"kind": "flot"}, "lr.kind must be choice, int or float, got 'flot'; did you"),
            ({"low": 1, "high": 2}, "lr.kind must be choice, int or float, got None"),
            ([1, 2], "lr.kind must be choice"),
            ({"kind": "choice", "values": []}, "lr.values must not be empty"),
            ({"kind": "choice", "values": [1, 1]}, "lr.values must differ, got [1, 1]"),
            ({"kind": "choice", "values": 3}, "lr.values must be a list, as in [3], got 3"),
        ],
    )
    def test_mistake_is_named_by_its_key(self, dimension: Any, message: str):
        with pytest.raises(ConfigError) as error:
            space(lr=dimension)
        assert str(error.value).removeprefix("sweep.space.").startswith(message)

    def test_nothing_to_search(self):
        with pytest.raises(ConfigError, match=r"^sweep\.space must not be empty"):
            space()

    @pytest.mark.parametrize(
        ("when", "message"),
        [
            ({"optimiser": "momentum"}, "names 'optimiser', .* did you mean 'optimizer'"),
            ({"data": "mnist"}, r"names 'data', .* \(there are: optimizer\)"),
            ({"momentum": 0.9}, "names 'momentum', which is not a choice that stands before it"),
            ({"optimizer": "sgd"}, r"\.optimizer must be one of \['adam', 'momentum'\], got 'sgd'"),
        ],
    )
    def test_condition_on_what_is_not_there(self, when: dict[str, Any], message: str):
        with pytest.raises(ConfigError, match=rf"^sweep\.space\.momentum\.when.*{message}"):
            space(
                optimizer={"kind": "choice", "values": ["adam", "momentum"]},
                momentum={"kind": "float", "low": 0.5, "high": 0.9, "when": when},
            )


class TestOverride:
    @pytest.mark.parametrize(
        ("text", "dimension"),
        [
            ("a=relu,gelu", Choice(["relu", "gelu"])),
            ("a=[64],[128,64]", Choice([[64], [128, 64]])),
            ("a=null,0.5", Choice([None, 0.5])),
            ("a=range(32,128,32)", Int(32, 96, 32)),
            ("a=range(0,1,0.25)", Float(0.0, 0.75, 0.25)),
            ("a=interval(0,0.5)", Float(0, 0.5)),
            ("a=int(interval(1,8))", Int(1, 8)),
            ("a=tag(log,interval(0.001,0.1))", Float(0.001, 0.1, log=True)),
        ],
    )
    def test_words_of_hydra(self, text: str, dimension: Dimension):
        assert word(text) == dimension

    def test_mistake_is_named_by_its_key(self):
        with pytest.raises(ConfigError, match=r"^sweep\.space\.optimizer\.lr\.low must be at most"):
            word("optimizer.lr=interval(0.5,0.1)")


class TestPoints:
    def test_condition_takes_a_key_away(self):
        point = Space(read_space(CONDITIONAL)).suggest(Highest())
        assert point == {"optimizer": "nesterov", "optimizer.lr": 0.1, "optimizer.momentum": 0.9}
        adam = CONDITIONAL | {"optimizer": {"kind": "choice", "values": ["nesterov", "adam"]}}
        adam["optimizer.momentum"] = CONDITIONAL["optimizer.momentum"] | {
            "when": {"optimizer": "nesterov"}
        }
        assert Space(read_space(adam)).suggest(Highest()) == {
            "optimizer": "adam",
            "optimizer.lr": 0.1,
        }

    def test_last_step_does_not_pass_the_end(self):
        assert Int(32, 100, 32).suggest(Highest(), "k") == 96
        assert Float(0.0, 0.35, 0.1).suggest(Highest(), "k") == 0.3

    def test_lists_are_stored_as_text(self):
        hidden = Choice([[64], [128, 64]])
        assert hidden.suggest(Highest(), "k") == [128, 64]
        assert json.loads(hidden.raw([64])) == [64]

    def test_grid_goes_through_everything_that_applies(self):
        grid = space(
            optimizer=CONDITIONAL["optimizer"],
            momentum=CONDITIONAL["optimizer.momentum"],
            size={"kind": "int", "low": 1, "high": 2},
        ).grid()
        assert len(grid) == 2 * (1 + 3 + 3)
        assert {"optimizer": "adam", "size": 2} in grid
        assert {"optimizer": "momentum", "momentum": 0.7, "size": 1} in grid

    @pytest.mark.parametrize(
        ("dimension", "message"),
        [
            (LR, "step must be given for a grid"),
            ({"kind": "int", "low": 1, "high": 9, "log": True}, "log must be false for a grid"),
        ],
    )
    def test_grid_needs_an_end(self, dimension: dict[str, Any], message: str):
        with pytest.raises(ConfigError, match=rf"^sweep\.space\.lr\.{message}"):
            space(lr=dimension).grid()

    def test_samples_take_every_end_and_obey_conditions(self):
        samples = list(Space(read_space(CONDITIONAL)).samples())
        assert {p["optimizer"] for p in samples} == {"adam", "momentum", "nesterov"}
        assert {p["optimizer.lr"] for p in samples} == {1e-4, 0.1}
        momenta = {p.get("optimizer.momentum") for p in samples}
        assert momenta == {None, 0.5, 0.9}
        assert all(("optimizer.momentum" in p) == (p["optimizer"] != "adam") for p in samples)
