"""What the documents point to is there."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = ["README.md", "CONTRIBUTING.md", "examples/own_project/README.md"]
DOCUMENTS += [f"docs/{path.name}" for path in sorted((ROOT / "docs").glob("*.md"))]


@pytest.mark.parametrize("document", DOCUMENTS)
def test_files_and_tests_that_are_named_exist(document: str):
    text = (ROOT / document).read_text(encoding="utf-8")
    named = re.findall(r"`((?:tests|bench|conf|docs|mlp)/[\w/.-]+)((?:::\w+)*)`", text)
    linked = [(target, "") for target in re.findall(r"\]\((?!http|#)([^)#]+)", text)]
    assert linked or document != "README.md"
    for path, names in named:
        assert (ROOT / path).exists(), path
        for name in filter(None, names.split("::")):
            assert re.search(rf"(def|class) {name}\b", (ROOT / path).read_text()), name
    for path, _ in linked:
        assert ((ROOT / document).parent / path).exists(), path


@pytest.mark.parametrize("page", ["nn", "data"])
def test_snippet_of_a_reference_page_runs(page: str, capsys: pytest.CaptureFixture[str]):
    text = (ROOT / "docs" / "reference" / f"{page}.md").read_text(encoding="utf-8")
    [snippet] = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    exec(snippet, {})
    assert capsys.readouterr().out
