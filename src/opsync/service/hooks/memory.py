"""Which deliveries arrived: known again for a week, and named anew after a kill.

A row is written before the delivery is answered, and it names what the delivery named. So the
promise of an answer needs one table and no queue: a row is done once a read that began after it
was told came to its end, and what is not done when the service starts is told again. Telling
twice costs a read by id.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from hashlib import sha256

from opsync.contract.webhooks import Signal
from opsync.errors import RecordError, StoreError, TemporaryError
from opsync.store import Arrived, Store

Told = Callable[[str, Signal], None]
"""Takes what may have changed in an instance. It must not block, and not raise."""

BATCH = 500
"""Deliveries in one transaction."""
WAITING = 2_000
"""Deliveries that may wait for theirs; more are sent back to the tool, which repeats them."""
REFS = 500
"""A delivery, or all that were not read, may name so many; more are read as one whole."""
_LONGEST_ID = 200


class Memory:
    """Deliveries in the store, written in groups.

    While one transaction is on its way to the disk, those that arrive gather for the next: a burst
    costs as many transactions as the disk can take, and each answer waits for one or two of them.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._waiting: list[tuple[Arrived, Told, asyncio.Future[bool]]] = []
        self._writer: asyncio.Task[None] | None = None
        self._through: dict[str, int] = {}
        """By instance the number of the last delivery that was told, of the last that the read
        that is under way took, and of the last that was read and is not noted yet."""
        self._taken: dict[str, int] = {}
        self._read: dict[str, int] = {}
        self._untold: set[str] = set()

    async def keep(self, instance: str, id: str, body: bytes, signal: Signal, told: Told) -> bool:  # noqa: A002 - the word of `Delivery`
        """Return once the delivery is durable; False if it was known.

        `told` is called before, once, if it is new and names anything, also where whoever waits
        here has gone away.

        Raises TemporaryError when too many wait, StoreError when it cannot be kept: then it counts
        as not arrived, RecordError when what it names is no text.
        """
        if len(self._waiting) >= WAITING:
            raise TemporaryError("Too many change signals arrive at once.")
        future: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._waiting.append((_arrived(instance, id, body, signal), told, future))
        self._wake()
        return await future

    def taken(self, instance: str) -> None:
        """A read of the instance begins, and takes what was told by now.

        Say so before anything else can run: what is told later is left to the next read.
        """
        self._taken[instance] = self._through.get(instance, 0)

    def was_read(self, instance: str, *, untold: bool = False) -> None:
        """The read that began last came to a good end: what it took is not told again. `untold`:
        it found changes that were not told, for `take_untold`."""
        if untold:
            self._untold.add(instance)
        if mark := self._taken.pop(instance, 0):
            self._read[instance] = mark
            self._wake()

    def take_untold(self) -> set[str]:
        """The instances in which changes were found that were not told; once each."""
        found, self._untold = self._untold, set()
        return found

    async def resume(self, instances: Collection[str], told: Told) -> int:
        """Tell again what an earlier process was told and did not read; in how many instances.

        Called once, at the start; what is received meanwhile may be told twice.
        """
        found = [
            one for one in await self._store.deliveries_unread(REFS) if one.instance in instances
        ]
        for one in found:
            known = self._through.get(one.instance, 0)
            self._through[one.instance] = max(known, one.through)
            told(one.instance, Signal(one.refs, one.whole))
        return len(found)

    async def close(self) -> None:
        """Wait for what is being written."""
        if self._writer is not None:
            await asyncio.wait([self._writer])

    def _wake(self) -> None:
        if self._writer is None:
            self._writer = asyncio.create_task(self._write(), name="opsync-deliveries")

    async def _write(self) -> None:
        try:
            while self._waiting or self._read:
                if batch := self._waiting[:BATCH]:
                    del self._waiting[:BATCH]
                    await self._write_one(batch)
                elif not await self._note_read() and not self._waiting:
                    return
        finally:
            self._writer = None

    async def _note_read(self) -> bool:
        """Note what was read. What cannot be noted now is with the next that is written."""
        marks, self._read = self._read, {}
        while marks:
            instance, mark = next(iter(marks.items()))
            try:
                await self._store.deliveries_read(instance, mark)
            except StoreError:
                self._read = marks | self._read
                return False
            del marks[instance]
        return True

    async def _write_one(self, batch: list[tuple[Arrived, Told, asyncio.Future[bool]]]) -> None:
        try:
            numbers = await self._store.put_deliveries([one for one, _, _ in batch])
        except Exception as error:  # noqa: BLE001 - each that waits raises it
            for _, _, future in batch:
                if not future.done():
                    future.set_exception(error)
            return
        except asyncio.CancelledError:
            for _, _, future in batch:
                future.cancel()
            raise
        for number, (one, told, future) in zip(numbers, batch, strict=True):
            failed = self._tell(number, one, told)
            if future.done():
                continue
            if failed is None:
                future.set_result(bool(number))
            else:
                future.set_exception(failed)

    def _tell(self, number: int, one: Arrived, told: Told) -> Exception | None:
        if not number or not (one.refs or one.whole):
            return None
        self._through[one.instance] = number
        try:
            told(one.instance, Signal(one.refs, one.whole))
        except Exception as error:  # noqa: BLE001 - of this delivery only; the others go on
            return error
        return None


def _arrived(instance: str, id_: str, body: bytes, signal: Signal) -> Arrived:
    try:
        for text in (id_, *map(str, signal.refs)):
            text.encode()
    except UnicodeEncodeError as error:
        # Found here, since it would fail all that are written with it.
        raise RecordError("what the delivery names is no text") from error
    digest = sha256(body).hexdigest()
    folded = len(signal.refs) > REFS
    return Arrived(
        instance=instance,
        id=id_ if 0 < len(id_) <= _LONGEST_ID else digest,
        digest=digest,
        refs=() if folded else signal.refs,
        whole=signal.whole or folded,
    )
