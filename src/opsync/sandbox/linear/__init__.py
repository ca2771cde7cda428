"""A simulated Linear workspace with its GraphQL API."""

from opsync.sandbox.linear.api import LinearWorkspace

__all__ = ["LinearWorkspace"]
