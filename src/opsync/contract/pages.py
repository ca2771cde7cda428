"""Parts of a page: what a connector can write where people read, beside what records hold."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Literal

from msgspec import Struct


class PageText(Struct, frozen=True):
    """A piece of text; `url` is where it leads, "" for nowhere."""

    text: str
    url: str = ""


class PageBlock(Struct, frozen=True):
    """A paragraph of a page, or a heading, or an entry of a list. It may be cut to what fits."""

    kind: Literal["heading", "paragraph", "bullet"]
    text: tuple[PageText, ...]


class WritesPages(ABC):
    """Can keep a part of a page that people chose: under a heading of its own, and nothing else."""

    @abstractmethod
    async def replace_page(self, page: str, part: str, blocks: Sequence[PageBlock]) -> None:
        """Put `blocks` in place of what opsync wrote as this `part` of `page` before.

        `page` is an address or id as people give it. The first block is the heading under which
        the others stand; it says by a marker that it is opsync's, so that the part is found again
        where what was kept is lost. No blocks: the part is taken away, heading and all. What people
        wrote or edited is left as it stands. Repeating it is harmless; what breaks off is put right
        by the next call. Raises RefusedError, SignInError or TemporaryError.
        """
