"""Which record a person means by a link, a key or a piece of a title."""

from __future__ import annotations

from opsync.config import Config
from opsync.contract.connector import Readable
from opsync.engine.session import Session, open_instance
from opsync.http import Pool
from opsync.model import Record
from opsync.runtime import Runtime
from opsync.store import Store


async def find(config: Config, store: Store, text: str) -> list[Record]:
    """What a person may mean, best first.

    A link that is pasted as the browser shows it is taken apart by the connectors; no request is
    made.
    """
    found = await store.find(text)
    if found or "://" not in text:
        return found
    by_ref: dict[str, Record] = {}
    for instance, alias in await _recognized(config, store, text.strip()):
        for record in await store.find(alias):
            if record.ref.instance == instance:
                by_ref.setdefault(str(record.ref), record)
    return list(by_ref.values())


async def _recognized(config: Config, store: Store, url: str) -> list[tuple[str, str]]:
    """The connections that a link leads to, each with the name that it gives there."""
    runtime = Runtime()
    pool = Pool(runtime)
    try:
        session = Session(config, store, runtime, pool)
        opened = [await open_instance(one, session) for one in config.instances.values()]
    finally:
        await pool.aclose()
    found = []
    for one in opened:
        connector = one.connector
        alias = connector.recognize(url) if isinstance(connector, Readable) else None
        if alias:
            found.append((one.name, alias))
    return found
