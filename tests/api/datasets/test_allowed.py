"""Nobody makes the service ask where the operator does not allow it."""

from __future__ import annotations

import pytest

from api.datasets.allowed import allowed_url
from api.errors import Invalid

ALLOWED = ["s3://sets/public/", "s3://mine", "https://images.example/sets", "torch/", "hfds/org", "wds/birds"]


@pytest.mark.parametrize(
    "url",
    [
        "s3://sets/public/birds/",
        "s3://sets/public/birds/train-{000..031}.tar",
        "s3://sets/public/*.parquet",
        "s3://mine/a.tar",
        "https://images.example/sets/a.tar",
        "torch/cifar10",
        "hfds/org/birds",
        "wds/birds",
    ],
)
def test_what_begins_as_the_operator_allows(url: str) -> None:
    assert allowed_url(url, ALLOWED) == url


@pytest.mark.parametrize(
    "url",
    [
        "s3://sets/private/birds/",
        "s3://sets/publicity/",
        "s3://mine2/a.tar",
        "https://images.example.evil/sets/a.tar",
        "https://images.example@evil/sets/a.tar",
        "http://images.example/sets/a.tar",
        "http://169.254.169.254/latest/meta-data",
        "file:///etc",
        "S3://mine/a.tar",
        "simplecache::s3://mine/a.tar",
        " s3://mine/a.tar",
        "hfds/organisation/birds",
        "wds/birds2",
        "",
    ],
)
def test_what_does_not(url: str) -> None:
    with pytest.raises(Invalid, match="DNA_DATASET_URLS allows; ask the operator"):
        allowed_url(url, ALLOWED)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("s3://mine/../private/a.tar", "no URL of shards"),
        ("s3://mine/a.tar::http://evil/", "no URL of shards"),
        ("s3://mine/zip://*.tar::http://evil/x.zip", "no URL of shards"),
        ("https://images.example/sets/%2e%2e/private/a.tar", "no URL of shards"),
        ("https://images.example/sets/@evil/a.tar", "no URL of shards"),
        ("s3://mine/a\nb.tar", "no URL of shards"),
        ("s3://mine/" + "a" * 5000, "no URL of shards"),
        ("torch/../../etc", "neither a URL nor a name of timm's"),
        ("torch/", "neither a URL nor a name of timm's"),
        ("torch//etc/passwd", "neither a URL nor a name of timm's"),
    ],
)
def test_what_begins_so_and_leads_elsewhere(url: str, said: str) -> None:
    with pytest.raises(Invalid, match=said):
        allowed_url(url, ALLOWED)
