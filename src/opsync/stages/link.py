"""Link: mentions become evidence that two records belong together. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet

from opsync.model import Evidence, Mention, Ref
from opsync.model.link import target_of
from opsync.model.pair import ACCEPTED


def link(
    mentions: Iterable[tuple[Ref, Mention, Sequence[Ref]]], *, within_instance: bool = False
) -> list[Evidence]:
    """The evidence in `mentions`: (source, what it names, the living records with that alias).

    A mention that no record or several records answer to is no evidence; neither is a hint, one of
    the record itself, nor, unless `within_instance` or a person accepted it, one of the same
    instance.
    """
    evidence: dict[tuple[Ref, Ref, str], Evidence] = {}
    for source, mention, candidates in mentions:
        target = target_of(mention, candidates)
        if target is None or target == source or mention.part == "hint":
            continue
        asked = within_instance or mention.field == ACCEPTED
        if target.instance == source.instance and not asked:
            continue
        evidence.setdefault(
            (source, target, mention.field),
            Evidence(source, target, mention.field, mention.text, mention.property, mention.part),
        )
    return list(evidence.values())


def without_repeats(
    evidence: Iterable[Evidence],
    instead: Mapping[Ref, Ref],
    named: Mapping[Ref, AbstractSet[Ref]],
) -> list[Evidence]:
    """`evidence` without what a mirrored text repeats.

    `instead` has, for a record that is the same work as another one, the one that counts; `named`
    what each of those names. That both belong together is no repetition.
    """
    kept = []
    for one in evidence:
        counted = instead.get(one.source, one.source)
        own = counted in (one.source, instead.get(one.target, one.target))
        if own or one.target not in named.get(counted, ()):
            kept.append(one)
    return kept
