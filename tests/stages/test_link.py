"""Mentions become evidence, unless they are unsure."""

from __future__ import annotations

from opsync.model import Evidence, Mention, Ref
from opsync.stages.link import link, without_repeats
from tests.support.build import ref

PAGE, ISSUE, OTHER = ref("p", "notion"), ref("1"), ref("2")


def named(
    *candidates: Ref, alias: str = "PAY-1", instance: str = ""
) -> tuple[Ref, Mention, tuple[Ref, ...]]:
    return PAGE, Mention(alias, instance, "Tracked in", True, alias), candidates


def test_a_mention_that_one_record_answers_to_is_evidence() -> None:
    [found] = link([named(ISSUE)])
    assert (found.source, found.target, found.field, found.property) == (
        PAGE,
        ISSUE,
        "Tracked in",
        True,
    )


def test_a_bare_key_that_nobody_or_two_records_have_makes_no_link() -> None:
    assert link([named(), named(ISSUE, ref("1", "jira-two"))]) == []


def test_records_of_one_instance_are_linked_on_request_only() -> None:
    pair = (ISSUE, Mention("K-2", "", "description"), (OTHER,))
    assert link([pair]) == []
    assert len(link([pair], within_instance=True)) == 1


def test_a_record_that_names_itself_is_linked_to_nothing() -> None:
    itself = (ISSUE, Mention("K-1", "", "description"), (ISSUE,))
    assert link([itself], within_instance=True) == []


def test_naming_the_same_record_twice_in_one_field_is_one_piece_of_evidence() -> None:
    assert len(link([named(ISSUE), named(ISSUE, alias="10001", instance="jira")])) == 1


def test_what_a_copy_repeats_is_left_out_and_what_it_says_alone_stays() -> None:
    original, copy, further = ref("1"), ref("a", "linear"), ref("b", "ships")
    both, alone = ref("9", "linear"), ref("8", "jira2")
    evidence = [
        Evidence(original, both, "description"),
        Evidence(copy, both, "description"),
        Evidence(copy, alone, "description"),
        Evidence(copy, original, "footer", part="mirror"),
        Evidence(copy, further, "attachment", part="mirror"),
        Evidence(both, copy, "description"),
    ]
    instead = {copy: original, further: original}
    named = {original: {both, original, further}}
    found = without_repeats(evidence, instead, named)
    assert found == [one for one in evidence if one != evidence[1]]


def test_without_twins_all_evidence_stays() -> None:
    evidence = [Evidence(ref("1"), ref("a", "linear"), "description")]
    assert without_repeats(evidence, {}, {ref("1"): {ref("a", "linear")}}) == evidence


def test_a_hint_is_no_evidence() -> None:
    hint = Mention("PAY-1", "", "branch", text="PAY-1", part="hint")
    assert link([(PAGE, hint, (ISSUE,))]) == []
