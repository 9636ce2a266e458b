"""How a command ends: its exit status, and what it prints."""

import pytest

from mlp.base import ConfigError, command, exit_status


def raising(error: BaseException):
    def action() -> None:
        raise error

    return action


def test_status_is_what_the_action_returns():
    assert exit_status(lambda: 7) == 7
    assert exit_status(lambda: None) == 0


@pytest.mark.parametrize(
    ("error", "status", "line"),
    [
        (ConfigError("lr must be greater than 0"), 2, "mlp: lr must be greater than 0\n"),
        (KeyboardInterrupt(), 130, "mlp: interrupted\n"),
    ],
)
def test_error_the_user_can_mend_is_one_line(
    capsys: pytest.CaptureFixture[str], error: BaseException, status: int, line: str
):
    assert exit_status(raising(error)) == status
    assert capsys.readouterr().err == line


def test_any_other_exception_is_shown_with_its_traceback(capsys: pytest.CaptureFixture[str]):
    assert exit_status(raising(ZeroDivisionError("division by zero"))) == 1
    assert "Traceback" in capsys.readouterr().err


def test_command_exits():
    with pytest.raises(SystemExit) as end:
        command(lambda: 3)()
    assert end.value.code == 3
