"""A network as it is served: an ONNX file, and how pictures become its input."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

_STRANGE = re.compile(r"[^A-Za-z0-9._-]+")


class Precision(StrEnum):
    """Numbers that a network computes with."""

    FP32 = "fp32"
    INT8 = "int8"


@dataclass(frozen=True)
class Network:
    """A network that can be served.

    Attributes:
        name: under which clients ask for it.
        onnx: its file, with input ``images`` (N, 3, S, S) and output ``logits`` (N, classes).
        how: what its architecture has under ``preprocessing``; None where nothing is known but the file, which takes tensors only.
    """

    name: str
    onnx: bytes
    how: Mapping[str, Any] | None


@dataclass(frozen=True)
class Wanted:
    """A network that somebody named on the command line, ``NAME=REF`` or ``REF``.

    Attributes:
        ref: a path, or what the service knows it by.
        precision: which of its files.
        called: under which name it is to be served; None: what it is called where it comes from.
    """

    ref: str
    precision: Precision
    called: str | None = None

    @classmethod
    def parse(cls, text: str, precision: Precision) -> Wanted:
        """What the argument of a command says."""
        name, equals, ref = text.partition("=")
        return cls(ref, precision, name) if equals else cls(text, precision)

    def named(self, given: str, onnx: bytes, how: Mapping[str, Any] | None) -> Network:
        """The network with these contents; that of 8 bits is called so, to stand beside the other.

        Args:
            given: what it is called where it comes from.
        """
        name = _STRANGE.sub("-", self.called or given).strip("-.") or "network"
        ending = f"-{self.precision}" if self.precision is not Precision.FP32 else ""
        return Network(name if name.endswith(ending) else name + ending, onnx, how)
