"""The records of a project: itself, people's annotations, and what is known by its address only."""

from __future__ import annotations

from opsync import Item, Kind, MetricKind, Record, RecordError, Ref, Text, marker_in
from opsync_mixpanel import addresses
from opsync_mixpanel.addresses import ANNOTATION, BOARD, EXPERIMENT, FLAG, REPORT
from opsync_mixpanel.settings import MixpanelSettings
from opsync_mixpanel.wire import Annotation

PROJECT = "project"
MAX_TITLE = 200

_NOUNS = {
    REPORT: "report",
    BOARD: "board",
    FLAG: "feature flag",
    EXPERIMENT: "experiment",
}


def own_item(settings: MixpanelSettings) -> Item:
    """The project itself, as the settings tell of it: no request is needed."""
    return Item(PROJECT, str(settings.project), settings.called)


def items_of(listed: list[Annotation]) -> list[Item]:
    """People's annotations. Those of opsync are no evidence of anything."""
    return [Item(ANNOTATION, str(one.id), one) for one in listed if not marker_in(one.text)]


def normalize(instance: str, settings: MixpanelSettings, stream: str, raw: object) -> Record:
    """The record of one raw object. Raises RecordError."""
    if stream == PROJECT and isinstance(raw, str):
        number = str(settings.project)
        return Record(
            ref=Ref(instance, PROJECT, number),
            kind=Kind.product,
            title=raw,
            url=addresses.project(settings.pages[0], settings.project),
            aliases=(f"{PROJECT}:{number}",),
        )
    if stream == ANNOTATION and isinstance(raw, Annotation):
        text = " ".join(raw.text.split())
        return Record(
            ref=Ref(instance, ANNOTATION, str(raw.id)),
            kind=Kind.metric,
            title=text[:MAX_TITLE] or f"Annotation {raw.id}",
            space=settings.called,
            aliases=(f"{ANNOTATION}:{raw.id}",),
            texts=(Text("description", raw.text),),
        )
    raise RecordError(f"Mixpanel: {stream!r} is no stream of its.")


def by_address(instance: str, settings: MixpanelSettings, alias: str) -> Record | None:
    """What is known of a thing that Mixpanel lists nowhere; None for what it does list.

    Where the pages of flags and experiments are is documented nowhere, so that they get no
    address of our making.
    """
    stream, _, id_ = alias.partition(":")
    if stream not in _NOUNS or not id_:
        return None
    url = ""
    if stream == REPORT:
        url = addresses.of_report(settings.pages[0], settings.project, id_)
    elif stream == BOARD:
        url = addresses.of_board(settings.pages[0], settings.project, id_)
    return Record(
        ref=Ref(instance, stream, id_),
        kind=Kind.metric,
        title=f"Mixpanel {_NOUNS[stream]} {id_}",
        url=url,
        space=settings.called,
        aliases=(alias,),
    )


def metric_of(record: Record) -> tuple[MetricKind, str] | None:
    """A report stands for what it shows. An address of a flag does not tell its key."""
    return (MetricKind.insight, record.ref.id) if record.ref.stream == REPORT else None
