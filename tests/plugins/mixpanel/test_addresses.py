"""Which addresses lead to something in this project, and to what."""

from __future__ import annotations

import pytest
from tests.plugins.mixpanel.world import settings

from opsync_mixpanel import addresses

HERE = "https://mixpanel.com/project/3141592"
FLAG = "2b1f0c4e-5d6a-4b7c-8d9e-0f1a2b3c4d5e"


def alias(url: str, **changes: object) -> str | None:
    own = settings(**changes)
    return addresses.alias(url, own.pages, own.project)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        (f"{HERE}/app/insights#report/123", "report:123"),
        (f"{HERE}/view/75/app/insights#report/123", "report:123"),
        (f"{HERE}/app/insights/#report/123", "report:123"),
        (f"{HERE}/app/insights?utm=x#report/123/weekly-actives", "report:123"),
        (f"{HERE}/app/insights#report/123/weekly-actives/~(a~1)", "report:123"),
        (f"{HERE}/app/insights%23report/123", "report:123"),
        (f"{HERE}/app/insights#segmentation-report/9", "report:9"),
        (f"{HERE}/app/funnels#view/456", "report:456"),
        (f"{HERE}/app/retention#report/7", "report:7"),
        (f"{HERE}/app/impact#report/10", "report:10"),
        ("https://mixpanel.com/report/3141592/insights#report/123", "report:123"),
        ("https://mixpanel.com/report/3141592/view/75/insights#report/123", "report:123"),
        ("HTTPS://MIXPANEL.COM:443/project/3141592/app/flows#report/8", "report:8"),
        (f"{HERE}/view/75/app/boards#id=555", "board:555"),
        (f"{HERE}/view/75/app/boards/555", "board:555"),
        (f"{HERE}/app/boards#id=555&editor-card-id=%22report-123%22", "report:123"),
        (f'{HERE}/app/boards#id=555&editor-card-id="report-123"', "report:123"),
        (f"{HERE}/app/boards#id=555&amp;editor-card-id=%22report-123%22", "report:123"),
        (f"{HERE}/app/boards#id=555&editor-card-id=", "board:555"),
        (f"{HERE}/view/75/app/feature-flags/{FLAG}", f"flag:{FLAG}"),
        (f"{HERE}/view/75/app/feature-flags/{FLAG.upper()}?tab=setup", f"flag:{FLAG}"),
        (f"{HERE}/app/experiments#{FLAG}", f"experiment:{FLAG}"),
        (f"{HERE}/app/experiments/42", "experiment:42"),
        ("https://mixpanel.com/api/app/projects/3141592/annotations/678", "annotation:678"),
    ],
)
def test_addresses_of_the_project_are_known(url: str, expected: str) -> None:
    assert alias(url) == expected


@pytest.mark.parametrize(
    "url",
    [
        "https://mixpanel.com/project/3141593/app/insights#report/123",
        "https://mixpanel.com/project/31415920/app/insights#report/123",
        "https://eu.mixpanel.com/project/3141592/app/insights#report/123",
        "https://api.mixpanel.com/project/3141592/app/insights#report/123",
        "https://mixpanel.com.example/project/3141592/app/insights#report/123",
        "https://mixpanel.com:8443/project/3141592/app/insights#report/123",
        "https://mixpanel.com/api/app/projects/1/annotations/678",
        "https://mixpanel.com/api/app/projects/3141592/annotations/tags",
        "ftp://mixpanel.com/project/3141592/app/insights#report/123",
        f"{HERE}/app/insights",
        f"{HERE}/app/insights#EBrV5bW2u9Mw",
        f"{HERE}/app/insights#report/",
        f"{HERE}/app/boards",
        f"{HERE}/app/boards#id=x",
        f"{HERE}/app/feature-flags",
        f"{HERE}/app/events",
        f"{HERE}/view",
        HERE,
        "https://mixpanel.com/s/AbC123",
        "https://mixpanel.com:port/project/3141592/app/insights#report/123",
        "https://[mixpanel.com/project/3141592/app/insights#report/123",
        "no address at all",
        "",
    ],
)
def test_other_addresses_are_nobodys(url: str) -> None:
    assert alias(url) is None


@pytest.mark.parametrize(
    ("region", "host"),
    [("us", "mixpanel.com"), ("eu", "eu.mixpanel.com"), ("in", "in.mixpanel.com")],
)
def test_each_region_has_a_host_of_its_own(region: str, host: str) -> None:
    url = f"https://{host}/project/3141592/app/insights#report/1"

    assert alias(url, region=region) == "report:1"
    assert sum(alias(url, region=one) is not None for one in ("us", "eu", "in")) == 1


def test_behind_another_address_both_it_and_the_regions_count() -> None:
    base = "http://127.0.0.1:8790/mixpanel"

    assert alias(f"{base}/project/3141592/app/insights#report/1", base_url=base) == "report:1"
    assert alias(f"{HERE}/app/insights#report/1", base_url=base) == "report:1"
    assert (
        alias("http://127.0.0.1:8790/project/3141592/app/insights#report/1", base_url=base) is None
    )


def test_what_is_built_is_known_again() -> None:
    page = "https://mixpanel.com"

    assert alias(addresses.of_report(page, 3141592, "5")) == "report:5"
    assert alias(addresses.of_board(page, 3141592, "6")) == "board:6"
