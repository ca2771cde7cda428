"""Wrong settings are refused with what would be right."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from opsync_notion import Notion, NotionSettings, register_connectors

ID = "393abc1eedcd816985cec64d3d3f20fd"
SECRET = "ntn_a-secret-of-this-test"


def settings(**changes: Any) -> NotionSettings:
    fitting: dict[str, Any] = {
        "connector": "notion",
        "token": SECRET,
        "data_sources": [{"id": ID}],
    }
    return NotionSettings(**(fitting | changes))


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"data_sources": []}, "data_sources"),
        ({"data_sources": [{"id": "Roadmap"}]}, "copy its link"),
        ({"data_sources": [{"id": ID}, {"id": ID.upper()}]}, "twice"),
        ({"data_sources": [{"id": ID, "colums": {}}]}, "colums"),
        ({"data_sources": [{"id": ID, "columns": {"work": "Delivery"}}]}, "same name"),
        ({"version": "2022-06-28"}, "version"),
        ({"page_size": 101}, "page_size"),
        ({"requests_per_minute": 0}, "requests_per_minute"),
        ({"base_url": "http://proxy.corp.example"}, "in the clear"),
        ({"base_url": "api.notion.com"}, "https://host"),
        ({"token": " "}, "must not be empty"),
    ],
)
def test_a_wrong_setting_is_named(changes: dict[str, Any], key: str) -> None:
    with pytest.raises(ValidationError) as caught:
        settings(**changes)
    assert key in str(caught.value)
    assert SECRET not in str(caught.value)


def test_every_setting_is_described() -> None:
    def undescribed(schema: dict[str, Any]) -> list[str]:
        blocks = [schema, *schema.get("$defs", {}).values()]
        fields = (item for b in blocks for item in b.get("properties", {}).items())
        return [name for name, field in fields if not field.get("description")]

    assert undescribed(NotionSettings.model_json_schema()) == []


def test_the_token_shows_in_no_repr() -> None:
    chosen = settings()
    assert SECRET not in repr(chosen)
    assert SECRET not in repr(Notion.policy("notion", chosen))


def test_the_budget_is_the_tokens_whatever_the_instance() -> None:
    one, other = Notion.policy("a", settings()), Notion.policy("b", settings())
    assert one.credential == other.credential
    assert one.credential != Notion.policy("a", settings(token="ntn_another-secret")).credential
    assert [(limit.per_window, limit.window_s) for limit in one.limits] == [(180.0, 60.0)]


def test_the_plugin_brings_one_connector() -> None:
    assert list(register_connectors()) == [Notion]
