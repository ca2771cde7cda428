"""Keys of other tools in what hangs on an issue: names of branches and pull requests. Pure.

"feat: tokens (pay-118)" says what the code is for, in whatever case, and often by a slip. Such a
key makes no link; it may suggest one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec
from msgspec import Struct

from opsync import Text
from opsync_linear.wire import Attachment

_KEY = re.compile(r"(?<![a-z0-9])[a-z][a-z0-9]{1,9}-[1-9][0-9]{0,6}(?![a-z0-9])", re.IGNORECASE)


class _Code(Struct, frozen=True):
    """What a code host's attachment tells of its branch."""

    branch: str = ""


_decode = msgspec.json.Decoder(_Code).decode


def hints(attachment: Attachment) -> Iterator[Text]:
    """The keys in an attachment's branch and title, but for those that its address has too."""
    branch = ""
    if b'"branch"' in bytes(attachment.metadata):
        try:
            branch = _decode(attachment.metadata).branch
        except msgspec.ValidationError:
            branch = ""  # metadata is whatever its creator put there
    told = attachment.url.upper()
    for field, words in (("branch", branch), ("attachment", attachment.title)):
        keys = [key for key in map(str.upper, _KEY.findall(words)) if key not in told]
        if keys:
            yield Text(field, " ".join(keys), remote_id=attachment.id, part="hint")
