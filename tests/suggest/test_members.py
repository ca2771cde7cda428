"""Which work is suggested for an initiative, with which reasons."""

from __future__ import annotations

from datetime import date

import pytest

from opsync.model import Category, Kind, Ref, Suggestion
from opsync.suggest import Limits, Named, Side, suggest
from tests.suggest.build import CROWD, initiative, issue, work

REFERRAL = initiative("Referral programme")


def found(*sides: Side, of: Side = REFERRAL) -> list[Suggestion]:
    return suggest([of], [*CROWD, *sides])


def titles(*sides: Side, of: Side = REFERRAL) -> list[str]:
    by_ref = {side.ref: side.title for side in sides}
    return [by_ref[one.two] for one in found(*sides, of=of)]


def test_a_project_of_the_same_name_is_suggested_with_its_reason() -> None:
    [one] = found(work("Referral program"))
    assert (one.one, one.two, one.kind) == (REFERRAL.ref, Ref("linear", "item", "1"), "member")
    assert one.score > 0.9
    assert one.reasons == ('titles alike: "referral program"',)


@pytest.mark.parametrize(
    ("title", "of"),
    [
        ("Program: referral", "Referral programme"),
        ("REFERRAL-PROGRAMMES", "Referral programme"),
        ("Refferal program", "Referral programme"),
        ("Referral program web", "Referral programme"),
        ("Signup funnel redesign", "Sign-up funnel redesign"),
        ("Sign up funnel, redesigned", "Signup funnel redesign"),
        ("Barrierefreiheit für Kassen", "Barrierefreiheit der Kasse"),
        ("Café-Kasse", "Cafe Kasse"),
        ("支付页面改版", "支付页面 改版"),
    ],
)
def test_a_name_is_known_again_however_it_is_written(title: str, of: str) -> None:
    assert titles(work(title), of=initiative(of)) == [title]


@pytest.mark.parametrize(
    ("title", "of"),
    [
        ("Referral link", "Referral programme"),
        ("Usage export for finance", "Warehouse export"),
        ("Audit export", "Warehouse export"),
        ("Rewrite the partner badges", "Partner API"),
        ("Payout bank details", "Instant payouts"),
        ("Fraud rules v3", "Fraud rules v2"),
        ("Fraud rules v3", "Fraud rules"),
        ("Rollout 2027", "Rollout 2026"),
        ("The of and", "The of and"),
        ("", ""),
    ],
)
def test_what_shares_some_words_only_is_not_suggested(title: str, of: str) -> None:
    assert titles(work(title), issue(title, "2"), of=initiative(of)) == []


def test_common_words_that_meet_by_chance_are_not_enough() -> None:
    many = [issue(f"Move report {n} to the export job", f"m{n}") for n in range(40)]
    assert suggest([initiative("Export report")], [*CROWD, *many]) == []


def test_labels_people_and_dates_add_and_make_no_pair_by_themselves() -> None:
    support = {"labels": ("Revenue",), "person": "Ana Reyes", "due_on": date(2026, 3, 9)}
    of = initiative("Invoice form rewrite", **support)
    near = issue("Invoice form changes", "1", **{**support, "due_on": date(2026, 3, 6)})
    assert found(near, of=initiative("Invoice form rewrite")) == []
    assert found(issue("Something else", "2", **support), of=of) == []

    one = found(work("Invoice form rewrite web", "3", **near_dates(support)), of=of)
    assert one[0].reasons[1:] == (
        "both labelled Revenue",
        "same owner: Ana Reyes",
        "due within 3 days of each other",
    )
    alone = found(work("Invoice form rewrite web", "3"), of=of)
    assert one[0].score > alone[0].score


def near_dates(support: dict[str, object]) -> dict[str, object]:
    return {**support, "due_on": date(2026, 3, 6)}


def test_a_label_that_everything_has_says_nothing() -> None:
    labelled = [issue(side.title, side.ref.id, labels=("Team",)) for side in CROWD]
    of = initiative("Referral programme", labels=("Team",))
    [one] = suggest([of], [*labelled, work("Referral program", labels=("team",))])
    assert one.reasons == ('titles alike: "referral program"',)


@pytest.mark.parametrize(
    ("where", "reason"),
    [("title", "its title names PAY-100"), ("branch", "its branch names PAY-100")],
)
def test_a_key_of_something_that_counts_is_strong_by_itself(where: str, reason: str) -> None:
    named = Named(where, "PAY-100", Ref("jira", "issue", "10"), (REFERRAL.ref,))
    [one] = found(issue("Quite another thing", named=(named,)))
    assert one.reasons == (reason,)
    assert one.score >= 0.85


def test_work_that_the_initiatives_title_names_is_suggested() -> None:
    asked = issue("Quite another thing", "10")
    of = initiative("PAY-100 first", named=(Named("title", "PAY-100", asked.ref),))
    [one] = found(asked, of=of)
    assert (one.two, one.reasons) == (asked.ref, ("the initiative's title names PAY-100",))


@pytest.mark.parametrize(
    "more",
    [
        {"counted": True},
        {"category": Category.canceled},
        {"kind": Kind.document},
        {"kind": Kind.initiative},
        {"done_on": date(2025, 6, 1), "category": Category.done},
    ],
)
def test_what_counts_or_is_of_no_use_is_not_suggested(more: dict[str, object]) -> None:
    limits = Limits(latest=date(2026, 3, 1))
    given = [*CROWD, work("Referral program", **more)]
    assert suggest([REFERRAL], given, limits=limits) == []


def test_what_was_done_lately_is_suggested() -> None:
    done = work("Referral program", done_on=date(2026, 1, 2), category=Category.done)
    limits = Limits(latest=date(2026, 3, 1))
    assert len(suggest([REFERRAL], [*CROWD, done], limits=limits)) == 1


def test_an_item_goes_to_the_initiative_that_it_resembles_most() -> None:
    both = [initiative("Fraud rules v2", "1"), initiative("Fraud rules", "2")]
    [one] = suggest(both, [*CROWD, work("Fraud rules v2 engine")])
    assert one.one == both[0].ref


def test_hostile_titles_end_up_as_words() -> None:
    title = "\u202e<b>Referral</b> 'programme'\u202c"
    [one] = found(work(title))
    assert one.reasons == ('titles alike: "referral programme"',)
