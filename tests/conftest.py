"""Fixtures for every test: where the vendors' specs and recorded payloads are, if anywhere."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

_OURS = {"OPSYNC_SPECS_DIR", "OPSYNC_DATA_DIR", "OPSYNC_REPORT_FILE"}
_ROOT = Path(__file__).resolve().parents[1]


def _folder(variable: str, name: str) -> Path:
    path = Path(os.environ.get(variable) or _ROOT.parent / "shared" / name)
    if not path.is_dir():
        pytest.skip(f"{name} absent: set {variable} to their folder")
    return path


@pytest.fixture(scope="session")
def specs_dir() -> Path:
    """The folder of the vendors' machine-readable specs; skips without it."""
    return _folder("OPSYNC_SPECS_DIR", "specs")


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The folder of payloads that vendors' servers produced; skips without it."""
    return _folder("OPSYNC_DATA_DIR", "data")


@pytest.fixture(autouse=True)
def _nothing_of_the_callers_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the settings of whoever runs the tests out of them."""
    for name in list(os.environ):
        if name.startswith("OPSYNC_") and name not in _OURS:
            monkeypatch.delenv(name)
