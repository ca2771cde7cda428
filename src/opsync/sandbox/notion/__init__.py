"""A simulated Notion workspace: `NotionWorkspace` and the objects it holds."""

from opsync.sandbox.notion.state import Database, DataSource, Page, User
from opsync.sandbox.notion.values import Computed, FileLink, Run, Span
from opsync.sandbox.notion.workspace import NotionWorkspace

__all__ = [
    "Computed",
    "DataSource",
    "Database",
    "FileLink",
    "NotionWorkspace",
    "Page",
    "Run",
    "Span",
    "User",
]
