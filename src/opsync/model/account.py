"""Accounts: people as the tools know them, one tool at a time."""

from __future__ import annotations

from msgspec import Struct


class Account(Struct, frozen=True, order=True):
    """Somebody in one instance. `name` and `email` are "" where the tool does not tell; `active`
    is False for an account that was closed, None where the tool does not tell."""

    instance: str
    id: str
    name: str = ""
    email: str = ""
    active: bool | None = True
