"""opsync keeps Jira, Linear, Notion and product analytics in step.

What a connector's author imports is here; each name is loaded when it is first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from opsync.__about__ import __version__

if TYPE_CHECKING:
    from opsync.contract import CONTRACT
    from opsync.contract.connector import (
        Batch,
        Check,
        Connector,
        Context,
        Diagnosable,
        Feed,
        Item,
        Readable,
        Surface,
        WebhookSource,
        Writable,
    )
    from opsync.contract.hookspecs import hookimpl
    from opsync.contract.settings import BaseUrl, ConnectorSettings, Token
    from opsync.errors import (
        BadAnswer,
        ConfigError,
        NotFound,
        OpsyncError,
        RateLimited,
        RecordError,
        RefusedError,
        SignInError,
        TemporaryError,
    )
    from opsync.http import (
        Answer,
        BudgetHint,
        Client,
        Limit,
        Policy,
        ahead,
        check_base_url,
        default_classify,
        fingerprint,
    )
    from opsync.model import (
        Card,
        Category,
        Change,
        Health,
        Kind,
        LinkContent,
        Mention,
        Outcome,
        OutcomeKind,
        Person,
        Record,
        Ref,
        Rollup,
        RollupContent,
        Seen,
        Slot,
        Status,
        Text,
        Value,
        Verb,
        WorkItem,
        same,
        value_hash,
    )

_HOMES = {
    "opsync.contract": ("CONTRACT",),
    "opsync.contract.connector": (
        "Batch",
        "Check",
        "Connector",
        "Context",
        "Diagnosable",
        "Feed",
        "Item",
        "Readable",
        "Surface",
        "WebhookSource",
        "Writable",
    ),
    "opsync.contract.hookspecs": ("hookimpl",),
    "opsync.contract.settings": ("BaseUrl", "ConnectorSettings", "Token"),
    "opsync.errors": (
        "BadAnswer",
        "ConfigError",
        "NotFound",
        "OpsyncError",
        "RateLimited",
        "RecordError",
        "RefusedError",
        "SignInError",
        "TemporaryError",
    ),
    "opsync.http": (
        "Answer",
        "BudgetHint",
        "Client",
        "Limit",
        "Policy",
        "ahead",
        "check_base_url",
        "default_classify",
        "fingerprint",
    ),
    "opsync.model": (
        "Card",
        "Category",
        "Change",
        "Health",
        "Kind",
        "LinkContent",
        "Mention",
        "Outcome",
        "OutcomeKind",
        "Person",
        "Record",
        "Ref",
        "Rollup",
        "RollupContent",
        "Seen",
        "Slot",
        "Status",
        "Text",
        "Value",
        "Verb",
        "WorkItem",
        "same",
        "value_hash",
    ),
}
_HOME = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "CONTRACT",
    "Answer",
    "BadAnswer",
    "BaseUrl",
    "Batch",
    "BudgetHint",
    "Card",
    "Category",
    "Change",
    "Check",
    "Client",
    "ConfigError",
    "Connector",
    "ConnectorSettings",
    "Context",
    "Diagnosable",
    "Feed",
    "Health",
    "Item",
    "Kind",
    "Limit",
    "LinkContent",
    "Mention",
    "NotFound",
    "OpsyncError",
    "Outcome",
    "OutcomeKind",
    "Person",
    "Policy",
    "RateLimited",
    "Readable",
    "Record",
    "RecordError",
    "Ref",
    "RefusedError",
    "Rollup",
    "RollupContent",
    "Seen",
    "SignInError",
    "Slot",
    "Status",
    "Surface",
    "TemporaryError",
    "Text",
    "Token",
    "Value",
    "Verb",
    "WebhookSource",
    "WorkItem",
    "Writable",
    "__version__",
    "ahead",
    "check_base_url",
    "default_classify",
    "fingerprint",
    "hookimpl",
    "same",
    "value_hash",
]


def __getattr__(name: str) -> object:
    home = _HOME.get(name)
    if home is None:
        raise AttributeError(f"module 'opsync' has no attribute {name!r}")
    return getattr(import_module(home), name)
