"""The texts that opsync writes into other tools: what they say, in the words that are in force.

Pure; nothing here changes from day to day. Text from tools is put into templates as it is, and
never read as one.
"""

from opsync.wording.delivering import (
    CONTAINERS,
    SINGLES,
    TITLE_LIMIT,
    TOLD,
    card,
    day,
    delivery,
    link_content,
    rollup_content,
    summary,
    work,
)
from opsync.wording.using import adoption, release_content, release_reason

__all__ = [
    "CONTAINERS",
    "SINGLES",
    "TITLE_LIMIT",
    "TOLD",
    "adoption",
    "card",
    "day",
    "delivery",
    "link_content",
    "release_content",
    "release_reason",
    "rollup_content",
    "summary",
    "work",
]
