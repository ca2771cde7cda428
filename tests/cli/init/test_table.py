"""The table of tools says what the connectors' settings say."""

from __future__ import annotations

import typing
from importlib import import_module
from pathlib import Path

import pytest
from pydantic import SecretStr

from opsync.cli.init.table import ANALYTICS, TOOLS, Analytics, Tool, credentials
from opsync.contract.settings import ConnectorSettings, WebhookSettings
from opsync.plugins import load


def settings_of(tool: Tool) -> type[ConnectorSettings]:
    return load(wanted=[tool.connector]).connector(tool.connector).settings_type


def is_secret(annotation: object) -> bool:
    parts = (annotation, *typing.get_args(annotation))
    return any(part is SecretStr or (part is not annotation and is_secret(part)) for part in parts)


@pytest.mark.parametrize("tool", TOOLS, ids=lambda tool: tool.name)
def test_every_key_is_a_secret_of_the_settings_and_every_secret_a_key(tool: Tool) -> None:
    fields = settings_of(tool).model_fields
    # What signs change signals is no matter of `init`: opsync makes it.
    signing = WebhookSettings.model_fields.keys() - ConnectorSettings.model_fields.keys()
    secrets = {name for name, field in fields.items() if is_secret(field.annotation)} - signing

    assert {key.setting for key in tool.keys} == secrets
    assert {key.setting for key in tool.needed} == {
        name for name in secrets if fields[name].is_required()
    }
    assert credentials(tool.connector) == tuple(key.setting for key in tool.needed)


@pytest.mark.parametrize("tool", ANALYTICS, ids=lambda tool: tool.name)
def test_an_analytics_tool_takes_what_is_asked(tool: Analytics) -> None:
    fields = settings_of(tool).model_fields

    assert {"project", "region", "base_url", "time_zone"} <= set(fields)
    assert set(typing.get_args(fields["region"].annotation)) == set(tool.regions)
    assert fields["region"].default == tool.region
    asked = {"project", *(key.setting for key in tool.keys), tool.account}
    assert {name for name, field in fields.items() if field.is_required()} <= {
        "connector",
        *asked,
    }


def test_a_connector_that_is_not_in_the_table_signs_in_with_a_token() -> None:
    assert credentials("toy") == ("token",)


ROOT = Path(__file__).resolve().parents[3]
PATHS = {
    "posthog": "Settings → Personal API keys → Create personal API key",
    "amplitude": "Settings → Organization settings → Projects → the project → General",
    "mixpanel": "Settings → Organization Settings → Service Accounts → Add Service Account",
}


@pytest.mark.parametrize("tool", ANALYTICS, ids=lambda tool: tool.name)
def test_one_place_is_told_for_a_key_by_init_connector_and_page(tool: Analytics) -> None:
    path = PATHS[tool.name]
    dialect = import_module(f"opsync_{tool.name}.dialect")
    page = (ROOT / "docs" / f"{tool.name}.md").read_text(encoding="utf-8")
    for text in (tool.makes, dialect.SIGN_IN_HINT, page):
        assert path in " ".join(text.split())
