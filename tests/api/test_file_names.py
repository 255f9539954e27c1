"""What downloads are called."""

from __future__ import annotations

from urllib.parse import unquote
from uuid import UUID

import pytest

from api.file_names import disposition, of_network
from store.states import Role
from store.tables import Architecture

ID = UUID("0199d3f0-5a34-7c1e-b6a8-0d6f6f3f7a10")


@pytest.mark.parametrize(
    ("role", "name", "stem"),
    [
        (Role.WINNER, None, "winner-of-birds-2026-6f3f7a10"),
        (Role.SELECTED, None, "selected-from-birds-2026-6f3f7a10"),
        (Role.REFERENCE, "lcnet_100", "lcnet_100-of-birds-2026-6f3f7a10"),
        (Role.WINNER, "For the phone", "For-the-phone-6f3f7a10"),
        (Role.GIVEN, None, "network-6f3f7a10"),
        (Role.GIVEN, "../../etc/passwd", "etc-passwd-6f3f7a10"),
        (Role.GIVEN, 'a"; filename="b.exe\r\nX: y', "a-filename-b-exe-X-y-6f3f7a10"),
        (Role.GIVEN, "\u202egpj.exe\x1b[2J", "gpj-exe-2J-6f3f7a10"),
        (Role.GIVEN, "CON", "CON-6f3f7a10"),
        (Role.GIVEN, "हिन्दी", "हिन्दी-6f3f7a10"),
        (Role.GIVEN, "…", "network-6f3f7a10"),
        (Role.GIVEN, "鳥" * 200, "鳥" * 40 + "-6f3f7a10"),
    ],
)
def test_a_file_is_called_as_its_network_in_safe_characters(role: Role, name: str | None, stem: str) -> None:
    assert of_network(Architecture(id=ID, role=role, name=name, search="birds, 2026")) == stem


@pytest.mark.parametrize(
    ("filename", "plain"),
    [("Vögel-6f3f7a10.int8.onnx", "Vogel-6f3f7a10.int8.onnx"), ("鳥-6f3f7a10.zip", "6f3f7a10.zip")],
)
def test_a_name_beyond_ascii_comes_twice(filename: str, plain: str) -> None:
    first, second = disposition(filename, inline=False).removeprefix("attachment; ").split("; ")
    assert first == f'filename="{plain}"'
    encoded = second.removeprefix("filename*=UTF-8''")
    assert encoded.isascii()
    assert unquote(encoded) == filename


def test_a_name_in_ascii_comes_once() -> None:
    assert disposition("birds-6f3f7a10.onnx", inline=True) == 'inline; filename="birds-6f3f7a10.onnx"'
