"""Run the missing revisions inside the caller's transaction."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection


def config() -> Config:
    """Alembic's configuration, without a file: the revisions are part of this package."""
    settings = Config()
    here = str(Path(__file__).parent).replace("%", "%%")
    settings.set_main_option("script_location", here)
    settings.set_main_option("path_separator", "os")
    return settings


def run(connection: Connection) -> None:
    """Bring the store to the newest revision."""
    settings = config()
    settings.attributes["connection"] = connection
    command.upgrade(settings, "head")
