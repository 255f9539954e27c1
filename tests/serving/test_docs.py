"""The examples of the documents do what they say."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.serving.running import CLASSES, lay_down, photo, running

DOCUMENT = Path(__file__).parents[2] / "docs" / "deployment.md"


@pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl on this machine")
def test_curl_and_tritonclient_as_the_document_has_them(tmp_path: Path) -> None:
    section = DOCUMENT.read_text().split("\n## Serving networks\n")[1].split("\n## ")[0]
    as_is, by_protocol = re.findall(r"^(?:curl|printf) .*?(?=^[{`])", section, re.MULTILINE | re.DOTALL)
    [script] = re.findall(r"```python\n(.*?)```", section, re.DOTALL)
    (tmp_path / "photo.jpg").write_bytes(photo())
    with running(f"birds-winner={lay_down(tmp_path / 'birds')}") as server:

        def run(command: list[str], text: str) -> str:
            told = text.replace("http://127.0.0.1:8080", server.url).replace("127.0.0.1:8081", server.grpc)
            done = subprocess.run([*command, told], cwd=tmp_path, capture_output=True, text=True, check=True)
            return done.stdout

        [best, *_] = json.loads(run(["bash", "-c"], as_is))["classes"]
        outputs = {one["name"]: one["data"] for one in json.loads(run(["bash", "-c"], by_protocol))["outputs"]}
        said = run([sys.executable, "-c"], script)
    assert {*outputs["classes"]} == {*CLASSES}
    assert outputs["classes"][0] == best["name"]
    assert outputs["probabilities"][0] == pytest.approx(best["probability"])
    assert said.startswith(f"[[b'{best['name']}' ")
