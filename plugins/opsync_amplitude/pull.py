"""Reads the project, and the lists of what people link to while somebody does."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import suppress

from opsync import Batch, Client, Feed, Item, NotFound
from opsync_amplitude import names
from opsync_amplitude.dialect import COST
from opsync_amplitude.kept import Kept
from opsync_amplitude.normalize import (
    EXPERIMENT,
    FLAG,
    NOTE,
    PROJECT,
    Project,
    flag,
    is_peoples,
)
from opsync_amplitude.releases import CATEGORIES, PATH, Many
from opsync_amplitude.settings import AmplitudeSettings

_LISTS = {"flags": FLAG, "experiments": EXPERIMENT}


def feeds(settings: AmplitudeSettings) -> Sequence[Feed]:
    """The project; annotations; flags and experiments where there is a key to list them."""
    found = [
        Feed(PROJECT, (PROJECT,), snapshot=True, title="project"),
        Feed(NOTE, (NOTE,), snapshot=True, title="annotations", named=f"{NOTE}:"),
    ]
    if settings.management_key is not None:
        streams = tuple(_LISTS.values())
        title = "flags and experiments"
        found.append(Feed(FLAG, streams, snapshot=True, title=title, named=f"{FLAG}:"))
    return found


async def pull(
    settings: AmplitudeSettings, http: Client, kept: Kept, feed: Feed
) -> AsyncGenerator[Batch, None]:
    """One feed. The project is known without a request, once the key pair was accepted."""
    if feed.name == PROJECT:
        if not kept.signed_in:
            await try_sign_in(http)
            kept.note_signed_in()
        yield Batch([Item(PROJECT, settings.project, Project(settings.project))], expected=1)
    elif feed.name == NOTE:
        answer = await http.read("GET", PATH, lane=COST)
        listed = [one for one in answer.decode(Many).data if is_peoples(one, settings)]
        yield Batch([Item(NOTE, str(one.id), one) for one in listed], expected=len(listed))
    else:
        for what, stream in _LISTS.items():
            for page in await names.listed(http, settings, what):
                yield Batch([Item(stream, str(row.get("id", "")), flag(row)) for row in page])


async def try_sign_in(http: Client) -> None:
    """Find out whether the key pair is good. SignInError: it is not. One small request."""
    with suppress(NotFound):  # a project without any category
        await http.read("GET", CATEGORIES, lane=COST)
