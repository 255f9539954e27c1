"""What may be named instead of sent: an operator lists folders of the server, and beginnings of URLs and of timm's names."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from api.errors import Invalid

#: Characters of a path that a system takes; finding out what a much longer one means takes long. A URL may have as many.
_LONGEST = 4096
#: Of what a user sent, in an answer.
_SHOWN = 200
#: timm's own ways to name a dataset, of those that give their labels in advance.
_TIMM = re.compile(r"(torch|hfds|wds)(/[A-Za-z0-9][A-Za-z0-9._-]*){1,3}")


def allowed_folder(folder: str, roots: Sequence[Path]) -> Path:
    """The folder, where it lies below one that the operator allows. The answer is the same whether others exist or not.

    Raises:
        Invalid: it does not.
    """
    shown = _shown(folder)
    try:
        path = Path(folder).resolve() if len(folder) <= _LONGEST and Path(folder).is_absolute() else None
        there = path is not None and any(path.is_relative_to(root) for root in roots) and path.is_dir()
    except (OSError, ValueError, RuntimeError):  # Too long, forbidden; NUL; links in a circle.
        path = there = None
    if path is None or not any(path.is_relative_to(root) for root in roots):
        raise invalid(
            "folder", f"{shown!r} does not lie below a folder that DNA_DATASET_FOLDERS allows; send an archive instead"
        )
    if not there:
        raise invalid("folder", f"{shown!r} is no folder")
    return path


def allowed_url(url: str, beginnings: Sequence[str]) -> str:
    """The URL, or timm's name, where it begins with one that the operator allows, as whole parts of a path. So nobody makes the service
    ask a host of their own choice; the answer is the same whether anything is there or not.

    Raises:
        Invalid: it does not, or it is neither.
    """
    shown = _shown(url)
    if not any(_begins(url, beginning) for beginning in beginnings):
        raise invalid(
            "url",
            f"{shown!r} does not begin with anything that DNA_DATASET_URLS allows; ask the operator, or send an archive",
        )
    scheme, there, path = url.partition("://")
    if there and (
        not scheme.isalnum() or not path or not url.isprintable() or _leads_elsewhere(path) or len(url) > _LONGEST
    ):
        raise invalid(
            "url",
            f"{shown!r} is no URL of shards, such as s3://bucket/birds/ or s3://bucket/birds/train-{{000..031}}.tar",
        )
    if not there and not _TIMM.fullmatch(url):
        raise invalid(
            "url", f"{shown!r} is neither a URL nor a name of timm's, such as torch/cifar10, hfds/org/name or wds/name"
        )
    return url


def _begins(url: str, beginning: str) -> bool:
    return url == beginning or url.startswith(beginning.rstrip("/") + "/")


def _leads_elsewhere(path: str) -> bool:
    """Through the folder above, or another file system; what means something else to some servers is refused with it."""
    return ".." in path.split("/") or "::" in path or any(character in path for character in "\\%@?#")


def _shown(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."


def invalid(field: str, detail: str) -> Invalid:
    """The refusal of a field."""
    return Invalid(f"{detail}.", errors=[{"pointer": f"#/{field}", "detail": detail}])
