"""What a credential needs in Jira, and the clicks that give it: scopes of the token, permissions of
its account."""

from __future__ import annotations

import re

from opsync import SignInError

API_TOKENS = "id.atlassian.com → Security → API tokens"
ACCESS_TOKENS = "your profile picture → Profile → Personal Access Tokens"
SCOPED = f"{API_TOKENS} → Create API token with scopes → Jira"
"""Where a token with scopes is made; the scopes of one that exists cannot be changed."""
READ_WORK, READ_USER, WRITE_WORK = "read:jira-work", "read:jira-user", "write:jira-work"
"""The scopes that opsync needs (`x-atlassian-oauth2-scopes` of each operation)."""
ACCESS = (
    "Have the account added to the project: Project settings → Access → Add people (a role with "
    "the permission Browse projects)."
)
LINKING = (
    "Have the account given the permission Link issues: Project settings → Permissions (company-"
    "managed) or Access (team-managed), and see that linking is on: Jira settings → Work items → "
    "Linking."
)
"""Permissions of the account, which hold whatever the token: https://support.atlassian.com/
jira-cloud-administration/docs/permissions-for-company-managed-projects/"""


class MissingScope(SignInError):
    """The token is alive and lacks `scope`."""

    def __init__(self, message: str, *, hint: str, scope: str) -> None:
        super().__init__(message, hint=hint)
        self.scope = scope


def scope_of(lane: str) -> str:
    """The scope that a request needs."""
    method, _, path = lane.partition(" ")
    if path == "myself":
        return READ_USER
    reads = method == "GET" or path.startswith(("search", "issue/bulkfetch"))
    return READ_WORK if reads else WRITE_WORK


def scope_hint(scope: str, instance: str) -> str:
    """The clicks that give a token a scope."""
    others = ", ".join(one for one in (READ_WORK, READ_USER, WRITE_WORK) if one != scope)
    optional = "" if scope == WRITE_WORK else f" ({WRITE_WORK} only to write)"
    return (
        f"Scopes of a token cannot be changed: make a new one at {SCOPED}, with {scope} besides "
        f"{others}{optional}, then set {token_variable(instance)}."
    )


def token_variable(instance: str) -> str:
    """The environment variable that an instance's token is taken from."""
    return f"OPSYNC_{re.sub(r'[^A-Z0-9]', '_', instance.upper())}__TOKEN"


def secret_variable(instance: str) -> str:
    """The same of the secret that signs its change signals."""
    return token_variable(instance).removesuffix("TOKEN") + "WEBHOOK_SECRET"
