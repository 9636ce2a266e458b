"""The commands that the documents show can be typed, and the generated pages show everything."""

import re
import shlex
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import pytest

from mlp.__main__ import COMMANDS
from mlp.config import conf_dir

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("**/*.md"))]
BLOCK = re.compile(r"^```(?:text)?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINE = re.compile(r"^(?:\$ )?(?:python -m mlp\.|mlp )(\w+)\b(.*)$", re.MULTILINE)
OWN = {"mine", "wine", "signum", "squared_hinge", "last_column"}  # choices that a page makes
HYDRAS = {"basic"}
MISTAKE = "optimizer.learning_rate"  # of the tutorial, on purpose


def hook(name: str) -> ModuleType:
    spec = spec_from_file_location(name, ROOT / "docs" / "hooks" / f"{name}.py")
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def configuration() -> str:
    return hook("config_reference").groups()


@pytest.fixture(scope="module")
def helps() -> dict[str, str]:
    commands = hook("command_reference")
    return {name: commands.help_of(name) for name in COMMANDS}


def typed(document: Path) -> list[tuple[str, list[str]]]:
    """Return the commands of a document, without the comments beside them."""
    lines = LINE.findall("\n".join(BLOCK.findall(document.read_text(encoding="utf-8"))))
    return [(name, shlex.split(words, comments=True)) for name, words in lines]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.stem)
def test_commands_flags_and_keys_exist(document: Path, configuration: str, helps: dict[str, str]):
    for name, words in typed(document):
        assert name in COMMANDS, name
        if name != "run":
            flags = [word for word in words if word.startswith("--")]
            assert all(flag in helps[name] for flag in flags), (name, flags)
            continue
        for key, _, value in (word.partition("=") for word in words if "=" in word):
            if (conf_dir() / key).is_dir():
                choices = {path.stem for path in (conf_dir() / key).glob("*.yaml")}
                assert value in choices | OWN | HYDRAS, f"{key}={value}"
            elif not key.startswith(("-", "+", "hydra.", "tags.", "callbacks.", "resume")):
                assert f"`{key}`" in configuration or "_target_" in key or key == MISTAKE


def test_reference_has_each_key_with_its_comment(configuration: str):
    """As many keys as the files of conf/ have, and a meaning for each."""
    rows = [line.split(" | ") for line in configuration.splitlines() if line.startswith("| `")]
    assert len(rows) > 250
    unexplained = [row[0] for row in rows if row[2].strip(" |") == ""]
    assert unexplained == []
    for path in conf_dir().glob("[!e]*/*.yaml"):
        if path.parent.name not in ("debug", "hydra"):
            assert f"### {path.parent.name}={path.stem}" in configuration


def test_presets_are_shown_as_they_are():
    presets = hook("config_reference").presets()
    for path in conf_dir().glob("experiment/*.yaml"):
        assert path.read_text(encoding="utf-8").splitlines()[-1] in presets
        assert f"### {path.stem}\n" in presets
