"""What a button decides about: what its page showed, or nothing.

A form has a digest of that in its field `seen`. Has any of it changed since the page was made, that
of what there is by now is another one.

What is shown may leave out words of private work that the values have. Nobody can find these from
a digest by trying: it is made with a key of this process.
"""

from __future__ import annotations

import hmac
from collections.abc import Collection, Iterable
from hashlib import blake2b

import msgspec

from opsync.errors import ConfigError
from opsync.model import PairDecision
from opsync.model.ledger import Entry, say_of
from opsync.runtime import new_secret
from opsync.service.web.forms import Form

Decidable = Entry | PairDecision
"""What a button may be about: a value that opsync keeps, or a decision that can be taken back."""

_KEY = new_secret()


def seen(found: Iterable[Decidable]) -> str:
    """A digest of these as they are now."""
    told = sorted(msgspec.json.encode(_told(one)) for one in found)
    return blake2b(b"\n".join(told), digest_size=12, key=_KEY).hexdigest()


def insist_as_seen(found: Collection[Decidable], form: Form) -> None:
    """ConfigError: these are not what the page of this form showed, or there are none."""
    same = hmac.compare_digest(seen(found).encode(), form.get("seen").encode())
    if not found or not same:
        raise ConfigError(
            "what this page shows has changed since it was made: nothing was done",
            hint="Load the page again, and decide about what it shows now.",
        )


def _told(one: Decidable) -> object:
    if isinstance(one, PairDecision):
        return one
    stands = one.applied if one.observed is None else one.observed
    return str(one.slot), say_of(one), stands, one.applied, one.desired
