"""Errors in Linear's shape: a message, and `extensions` that say what kind it is.

Linear tells kinds apart by `extensions.code` and `extensions.type`; the HTTP status is secondary.
"""

from __future__ import annotations

from graphql import GraphQLError


def extensions(code: str, kind: str, status: int, message: str) -> dict[str, object]:
    """The `extensions` of an error that is the caller's to mend."""
    return {
        "type": kind,
        "code": code,
        "statusCode": status,
        "userError": True,
        "userPresentableMessage": message,
        "meta": {},
    }


def invalid_input(message: str, *, shown: str = "") -> GraphQLError:
    """An argument that the vendor does not take."""
    return GraphQLError(
        message, extensions=extensions("INPUT_ERROR", "invalid input", 400, shown or message)
    )


def not_found(what: str) -> GraphQLError:
    """No such object, or one that this credential cannot see; the vendor does not tell which."""
    return invalid_input(f"Entity not found: {what}", shown=f"Could not find referenced {what}.")
