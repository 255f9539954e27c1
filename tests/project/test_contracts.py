"""The architecture is executable: import contracts hold, and what must stay light stays light."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def test_import_contracts_hold() -> None:
    """The layers of pyproject.toml's [tool.importlinter]."""
    result = subprocess.run(
        [sys.executable, "-c", "from importlinter.cli import lint_imports_command as main; main()"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize(
    "module",
    [
        "api.app",
        "store.tables",
        "dna_client.client",
        "dna_engine.spec",
        "dna_engine.plans",
        "dna_engine.select",
        "dna_engine.catalogue",
        "dna_engine.answer",
        "serving.server",
    ],
)
def test_loads_no_torch(module: str) -> None:
    """import-linter does not see what a package imports at run time; a fresh interpreter does. Nor what only traces need."""
    code = f"import sys, {module}; print(sorted({{'torch', 'timm', 'torchvision', 'store.otel'}} & set(sys.modules)))"
    result = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"
