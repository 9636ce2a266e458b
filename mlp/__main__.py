"""List the commands, or start one: each is a file beside this one."""

import ast
import os
import sys
from importlib import import_module
from pathlib import Path

from mlp.base import UserError, closest, command, print_wrapped

COMMANDS = {path.stem: path for path in sorted(Path(__file__).parent.glob("[!_]*.py"))}


@command
def main() -> None:
    """Start the command that the first word names."""
    name, *words = sys.argv[1:] or ["--help"]
    if name in ("-h", "--help"):
        _show_help()
    elif name == "--version":
        from importlib.metadata import version

        print(f"mlp {version('mlp')}")
    elif name in ("-sc", "--shell-completion"):
        _complete()
    elif name in COMMANDS:
        sys.argv[1:] = words
        if not sys.flags.safe_path:
            sys.path.insert(0, "")  # the user's own classes are found, as for python -m
        import_module(f"mlp.{name}").main()
    else:
        hint = closest(name, COMMANDS) or f" (commands: {', '.join(COMMANDS)})"
        raise UserError(f"there is no command {name[:80]!r}{hint}")


def _show_help() -> None:
    print("usage: mlp COMMAND ...\n")
    for name, path in COMMANDS.items():
        docstring = ast.get_docstring(ast.parse(path.read_text("utf-8"))) or "?"
        print_wrapped(f"  mlp {name:10} {docstring.splitlines()[0]}")
    print("\n  mlp COMMAND --help shows what one takes.")


def _complete() -> None:
    """Answer the shell: Hydra completes the words of ``mlp run``, and installs the completion."""
    from mlp.run import main as run

    app, *words = os.environ.get("COMP_LINE", "").split(" ")
    if words[:1] == ["run"] or not any(word.startswith("query=") for word in sys.argv):
        os.environ["COMP_LINE"] = " ".join([app, *words[1:]])
        sys.argv += [word for word in words if word.startswith("--config-dir=")]
        run()
    elif len(words) == 1:
        print(*COMMANDS)


if __name__ == "__main__":
    main()
