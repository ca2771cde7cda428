"""Link: mentions become evidence that two records belong together. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from opsync.model import Evidence, Mention, Ref
from opsync.model.link import target_of
from opsync.model.pair import ACCEPTED


def link(
    mentions: Iterable[tuple[Ref, Mention, Sequence[Ref]]], *, within_instance: bool = False
) -> list[Evidence]:
    """The evidence in `mentions`: (source, what it names, the living records with that alias).

    A mention that no record or several records answer to is no evidence; neither is one of the
    record itself, nor, unless `within_instance` or a person accepted it, one of the same instance.
    """
    evidence: dict[tuple[Ref, Ref, str], Evidence] = {}
    for source, mention, candidates in mentions:
        target = target_of(mention, candidates)
        if target is None or target == source:
            continue
        asked = within_instance or mention.field == ACCEPTED
        if target.instance == source.instance and not asked:
            continue
        evidence.setdefault(
            (source, target, mention.field),
            Evidence(source, target, mention.field, mention.text, mention.property, mention.part),
        )
    return list(evidence.values())
