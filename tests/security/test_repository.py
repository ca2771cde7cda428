"""The repository itself: no credential in any file, and an image that holds none."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.container.dockerfile import parse

ROOT = Path(__file__).resolve().parents[2]
LEFT_OUT = {".git", ".venv", "dist", "build", "node_modules", "__pycache__"}

PATTERNS = {
    "a private key": r"PRIVATE KEY-----\s*[A-Za-z0-9+/]{40}",
    "a key of AWS": r"AKIA[0-9A-Z]{16}\b",
    "a token of GitHub": r"ghp_[A-Za-z0-9]{36}\b",
    "a fine-grained token of GitHub": r"github_pat_[A-Za-z0-9_]{60,}",
    "a token of Slack": r"xox[abeoprs]-\d{8,}-[A-Za-z0-9-]{20,}",
    "a webhook of Slack": r"hooks\.slack\.com/services/T[A-Z0-9]{8,}/B[A-Z0-9]{8,}/\w{20,}",
    "a token of Atlassian": r"ATATT3[A-Za-z0-9_=-]{60,}",
    "a key of Linear": r"lin_(?:api|oauth)_[A-Za-z0-9]{40,}",
    "a token of Notion": r"ntn_[0-9]{11}[A-Za-z0-9]{30,}",
    "an older token of Notion": r"secret_[A-Za-z0-9]{43}\b",
    "a key of PostHog": r"ph[xc]_[A-Za-z0-9]{40,}",
    "a key of Google": r"AIza[0-9A-Za-z_-]{35}\b",
    "a key of Stripe": r"k_live_[A-Za-z0-9]{20,}",
    "a signed token": r"eyJ[A-Za-z0-9_-]{20,}\.eyJ[A-Za-z0-9_-]{20,}\.[A-Za-z0-9_-]{20,}",
    "a token of PyPI": r"pypi-[A-Za-z0-9_-]{60,}",
}
"""Each begins with plain letters, so that it is looked for fast."""

SAMPLES = {
    "a private key": "-----BEGIN RSA " + "PRIVATE KEY-----\n" + "MIIEow" * 10,
    "a key of AWS": "AKIA" + "IOSFODNN7EXAMPLQ",
    "a token of GitHub": "ghp_" + "a1B2" * 9,
    "a fine-grained token of GitHub": "github_pat_" + "a1B2c3_D4e" * 8,
    "a token of Slack": "xoxb-" + "123456789012-" + "AbCdEfGhIjKlMnOpQrStUv",
    "a webhook of Slack": "hooks.slack.com/services/" + "T0123456789/B0123456789/" + "x" * 24,
    "a token of Atlassian": "ATATT3" + "xFfGF0" * 12,
    "a key of Linear": "lin_api_" + "a1B2c3D4" * 5,
    "a token of Notion": "ntn_" + "12345678901" + "a1B2c3D4e5" * 4,
    "an older token of Notion": "secret_" + "a1B2c3D4e5" * 4 + "f6G",
    "a key of PostHog": "phx_" + "a1B2c3D4e5" * 5,
    "a key of Google": "AIza" + "a1B2c" * 7,
    "a key of Stripe": "sk_" + "live_" + "a1B2c3D4e5" * 3,
    "a signed token": "eyJ" + "a1B2c3D4e5" * 3 + ".eyJ" + "a1B2c3D4e5" * 3 + "." + "s" * 43,
    "a token of PyPI": "pypi-" + "AgEIcHlwaS5vcmc" * 6,
}


def files() -> Iterator[Path]:
    """What is kept: as version control has it, or, without it, all files but what is built."""
    told = subprocess.run(
        ["git", "-C", str(ROOT), "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        capture_output=True,
        text=True,
        check=False,
    )
    if told.returncode == 0:
        yield from (ROOT / name for name in told.stdout.split("\0") if name)
        return
    for path in ROOT.rglob("*"):
        if path.is_file() and not LEFT_OUT & set(path.relative_to(ROOT).parts):
            yield path


@pytest.mark.parametrize("name", PATTERNS)
def test_the_scan_knows_a_credential_of_each_kind(name: str) -> None:
    assert re.search(PATTERNS[name], f'token = "{SAMPLES[name]}"')


def test_no_file_of_the_repository_holds_a_credential() -> None:
    found, seen = [], 0
    for path in files():
        if not path.is_file():
            continue
        seen += 1
        text = path.read_bytes().decode("utf-8", "replace")
        told = (name for name, pattern in PATTERNS.items() if re.search(pattern, text))
        found += [f"{path.relative_to(ROOT)}: {name}" for name in told]
    assert seen > 500
    assert found == []


def test_the_image_is_built_without_a_secret() -> None:
    stages = parse((ROOT / "Dockerfile").read_text(encoding="utf-8"))
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    assert re.findall(r"^\s*ARG\s+(\w+)", text, re.MULTILINE) == ["BASE"]
    assert not re.search(r"^\s*ADD\s|--mount=type=secret|curl |wget ", text, re.MULTILINE)
    for stage in stages:
        for name in stage.env():
            assert not re.search(r"TOKEN|SECRET|PASSWORD|KEY|WEBHOOK", name), name


def test_the_image_is_told_to_run_without_rights_and_to_write_one_folder() -> None:
    page = (ROOT / "docs/operations.md").read_text(encoding="utf-8")
    (line,) = [one for one in page.splitlines() if one.startswith("docker run")]
    for option in ("--read-only", "--cap-drop ALL", "no-new-privileges", "--volume opsync:/data"):
        assert option in line
