"""The ``dna`` command where it is used: in terminals of several widths, in pipes that close, on disks that are full."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.dna_client.conftest import Api

DNA = [sys.executable, "-m", "dna_client"]
_END = "----"
#: Each argument is a command. In one process, for to load the program takes longer than to run it.
_ONE_BY_ONE = f"""
import sys
from dna_client.__main__ import main
for command in sys.argv[1:]:
    sys.argv[1:] = command.split()
    try:
        main()
    except SystemExit as ended:
        assert not ended.code, command
    print("{_END}", flush=True)
"""
_CODES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_COLOUR = re.compile(r"\x1b\[(?:[0-9]+;)*[349][0-7]m")


def environment(api: Api, **more: str) -> dict[str, str]:
    return (
        {name: value for name, value in os.environ.items() if name != "COLUMNS"}
        | {"DNA_URL": api.url, "TERM": "xterm"}
        | more
    )


def in_terminal(api: Api, columns: int, *arguments: str, **more: str) -> str:
    """What the command writes to a terminal of that width."""
    return _written(api, columns, [*DNA, *arguments], **more)


def one_by_one(api: Api, columns: int, commands: Sequence[str]) -> list[str]:
    """What each of the commands writes there, without colours."""
    written = _written(api, columns, [sys.executable, "-c", _ONE_BY_ONE, *commands])
    *each, rest = _CODES.sub("", written).split(f"{_END}\r\n")
    assert rest == ""
    return each


def _written(api: Api, columns: int, command: Sequence[str], **more: str) -> str:
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    with subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, env=environment(api, **more)) as process:
        os.close(theirs)
        said = b""
        while chunk := _read(ours):
            said += chunk
    os.close(ours)
    assert process.returncode == 0, said
    return said.decode()


def _read(terminal: int) -> bytes:
    """Empty when the other side is closed, which Linux calls an error."""
    try:
        return os.read(terminal, 65536)
    except OSError:
        return b""


def piped(api: Api, *arguments: str) -> str:
    return subprocess.run([*DNA, *arguments], env=environment(api), capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize("columns", [50, 60, 80, 120])
def test_tables_fit_the_terminal(api: Api, finished: str, trained: str, columns: int) -> None:
    commands = (
        "search list --label made=before",
        f"search show {finished}",
        "training list",
        f"training show {trained}",
        f"frontier {finished}",
        f"select {finished}",
        "teacher list resnet",
        "workers list",
    )
    for command, written in zip(commands, one_by_one(api, columns, commands), strict=True):
        # Sentences are the terminal's to wrap, and the headline of a search has its id in full.
        lines = (line for line in written.splitlines() if "waits for" not in line)
        tables = [line for line in lines if not {finished, trained} & {*line.split()}]
        assert [line for line in tables if len(line) > columns] == [], command
        assert len(tables) > 1 or command == "workers list"


def test_a_narrow_terminal_shortens_ids_to_what_finds_them_again(api: Api, finished: str) -> None:
    listed = _CODES.sub("", in_terminal(api, 60, "search", "list", "--label", "made=before"))
    assert finished not in listed
    assert finished[-8:] in listed
    assert "created" not in listed
    assert finished in in_terminal(api, 60, "search", "show", finished[-8:])
    assert finished in in_terminal(api, 160, "search", "list", "--label", "made=before")


def test_a_pipe_gets_whole_ids_and_every_column(api: Api, finished: str) -> None:
    listed = piped(api, "search", "list", "--label", "made=before")
    assert finished in listed
    assert listed.split()[:3] == ["id", "state", "progress"]
    assert "created" in listed


def test_no_color_is_respected(api: Api, finished: str) -> None:
    assert _COLOUR.search(in_terminal(api, 80, "search", "list"))
    assert "\x1b" not in in_terminal(api, 80, "search", "list", NO_COLOR="1")


@pytest.mark.parametrize("command", ["search list", "search list --json", "teacher list --json"])
def test_a_reader_that_leaves_is_no_error_of_the_program(api: Api, finished: str, command: str) -> None:
    with subprocess.Popen(
        [*DNA, *command.split()], env=environment(api), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == ""
    assert process.returncode == 1


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
@pytest.mark.parametrize("command", ["search list", "search list --json", "--help"])
def test_a_full_disk_is_said(api: Api, finished: str, command: str) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [*DNA, *command.split()], env=environment(api), stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert (done.returncode, done.stderr) == (2, "error: The output cannot be written: No space left on device.\n")
