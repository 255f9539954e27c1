"""``If-None-Match``: compared weakly, a list of tags, or any."""

from __future__ import annotations

import pytest
from starlette.testclient import TestClient

from tests.api.conftest import Finished


@pytest.mark.parametrize("form", ["{}", "W/{}", '"other", {}', '"a,b",W/{}', "*"])
@pytest.mark.parametrize("where", ["document", "picture", "file"])
def test_what_is_held_is_not_sent_again(finished: Finished, form: str, where: str) -> None:
    path = {
        "document": "/openapi.json",
        "picture": f"/searches/{finished.id}/pictures/frontier",
        "file": "/static/swagger-ui/swagger-ui.css",
    }[where]
    tag = finished.client.get(path).headers["etag"]
    again = finished.client.get(path, headers={"If-None-Match": form.format(tag)})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)


@pytest.mark.parametrize("said", ['"other"', 'W/"other"', "nonsense", '"', ""])
def test_what_is_not_held_is_sent(shared: TestClient, said: str) -> None:
    assert shared.get("/openapi.json", headers={"If-None-Match": said}).status_code == 200


def test_two_headers_are_one_list(shared: TestClient) -> None:
    tag = shared.get("/openapi.json").headers["etag"]
    again = shared.get("/openapi.json", headers=[("If-None-Match", '"other"'), ("If-None-Match", tag)])
    assert again.status_code == 304
