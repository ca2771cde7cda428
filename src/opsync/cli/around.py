"""What surrounds a command: the secrets that nothing it prints may show."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field

from opsync.redact import Redactor

_SECRET_WORDS = ("TOKEN", "SECRET", "PASSWORD", "KEY", "WEBHOOK", "ALIVE")
_OPEN = ("SECRETS_DIR", "TOKEN_EXPIRES", "WEBHOOKS_LISTEN")
"""How names end that have such a word and hold no secret, but a folder, a day, an address. Hidden,
they would be missed in an error that says where something belongs."""


def _known(environ: Mapping[str, str]) -> Redactor:
    """A redactor for what looks like a secret of ours in the environment."""
    redactor = Redactor()
    for variable, value in environ.items():
        name = variable.upper()
        if not name.startswith("OPSYNC_") or name.endswith(_OPEN):
            continue
        if any(word in name for word in _SECRET_WORDS):
            redactor.add(value)
    return redactor


@dataclass
class Around:
    """One run of the command line. Before the configuration is read, the secrets in the
    environment are known; afterwards all."""

    redactor: Redactor = field(default_factory=lambda: _known(os.environ))

    def clean(self, text: str) -> str:
        """`text` without secrets."""
        return self.redactor.clean(text)
