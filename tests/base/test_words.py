"""Numbers and lists in sentences."""

from mlp.base import counted, in_brief


def test_a_noun_agrees_with_its_number():
    said = [counted(n, "epoch") for n in (0, 1, 2, 1200)]
    assert said == ["0 epochs", "1 epoch", "2 epochs", "1,200 epochs"]


def test_of_many_names_the_first_are_told():
    names = [f"c{i}" for i in range(12)]
    assert in_brief(names[:3], 3) == "c0, c1, c2"
    assert in_brief(names, 3) == "c0, c1, c2 and 9 more"
