"""One person across tools, and what is left to people because it is in doubt."""

from __future__ import annotations

import random
import subprocess
import sys
from collections.abc import Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from opsync.model import Account
from opsync.model.rules import PersonRule
from opsync.people import DoubtKind, People, Way

ANA = Account("jira", "1", "Ana Reyes", "ana@harbor.example")


def same(people: People, *accounts: Account) -> bool:
    """Whether all of them are one person."""
    return len({people.of(one.instance, one.id) for one in accounts}) == 1


def doubts(people: People) -> list[tuple[DoubtKind, int]]:
    return [(doubt.kind, len(doubt.accounts)) for doubt in people.doubts]


def test_an_address_is_one_person_in_any_case() -> None:
    nick = Account("linear", "7", "ana", "Ana@Harbor.example")
    people = People([nick, ANA])
    [one] = people.identities
    assert (one.name, one.accounts) == ("Ana Reyes", (ANA, nick))
    assert people.of("linear", "7") is one
    assert people.of("linear", "8") is None
    assert people.doubts == ()


def test_the_fullest_name_is_the_one_that_stays() -> None:
    called = ["A. Reyes", "ana", "Reyes, Ana", "Ana Reyes", ""]
    accounts = [
        Account("jira", str(number), name, "ana@harbor.example")
        for number, name in enumerate(called)
    ]
    [one] = People(accounts).identities
    assert one.name == "Ana Reyes"


def test_nothing_but_case_is_ignored_in_an_address() -> None:
    tagged = Account("linear", "7", "Ana R.", "ana+work@harbor.example")
    assert not same(People([ANA, tagged]), ANA, tagged)


def test_a_full_name_that_each_tool_has_once_is_one_person() -> None:
    accented = Account("linear", "7", "ANA  Réyes")
    notion = Account("notion", "9", "Ana Reyes", "ana@harbor.example")
    people = People([ANA, accented, notion])
    assert same(people, ANA, accented, notion)
    assert people.doubts == ()


def test_one_name_with_two_addresses_is_left_apart_and_told() -> None:
    other = Account("linear", "7", "Ana Reyes", "ana@ships.example")
    silent = Account("notion", "9", "Ana Reyes")
    people = People([ANA, other, silent])
    assert len(people.identities) == 3
    assert doubts(people) == [(DoubtKind.two_addresses, 3)]
    assert people.doubts[0].why == (
        "Ana Reyes has different addresses: ana@harbor.example and ana@ships.example"
    )


def test_one_name_twice_in_one_tool_is_left_apart_and_told() -> None:
    second = Account("jira", "2", "Ana Reyes")
    linear = Account("linear", "7", "Ana Reyes")
    people = People([ANA, second, linear])
    assert len(people.identities) == 3
    assert doubts(people) == [(DoubtKind.twice, 3)]
    assert people.doubts[0].why == "several in jira are called Ana Reyes"


def test_two_accounts_of_one_person_in_a_tool_are_no_doubt() -> None:
    second = Account("jira", "2", "Ana Reyes", "ana@harbor.example")
    linear = Account("linear", "7", "Ana Reyes")
    people = People([ANA, second, linear])
    assert same(people, ANA, second, linear)
    assert people.doubts == ()


def test_a_single_name_is_not_enough_and_told_as_near() -> None:
    nick = Account("linear", "7", "ana")
    people = People([ANA, nick])
    assert not same(people, ANA, nick)
    assert doubts(people) == [(DoubtKind.near_name, 2)]
    assert people.doubts[0].why == "ana is in linear only; perhaps the same as Ana Reyes (jira)"


def test_a_name_spelt_nearly_so_is_told_and_left_apart() -> None:
    slip = Account("linear", "7", "Reyes, Anna")
    people = People([ANA, slip, Account("linear", "8", "Ben Ode")])
    assert not same(people, ANA, slip)
    assert doubts(people) == [(DoubtKind.near_name, 2)]


def test_whoever_has_a_counterpart_is_nobodys_near_name() -> None:
    linear = Account("linear", "7", "Ana Reyes", "ana@harbor.example")
    slip = Account("linear", "8", "Anna Reyes")
    assert doubts(People([ANA, linear, slip])) == []


def test_the_configuration_joins_by_address_name_and_account() -> None:
    moved = Account("notion", "9", "A. R.", "ana@ships.example")
    linear = Account("linear", "7", "areyes")
    rule = PersonRule("Ana R.", ("ANA@harbor.example", "linear:7", "a r"))
    people = People([ANA, moved, linear], [rule])
    assert same(people, ANA, moved, linear)
    [one] = people.identities
    assert one.name == "Ana R."
    assert people.doubts == ()


def test_what_the_configuration_joins_lets_a_name_follow() -> None:
    moved = Account("notion", "9", "Ana Reyes", "ana@ships.example")
    silent = Account("linear", "7", "Ana Reyes")
    rule = PersonRule("Ana", ("ana@harbor.example", "ana@ships.example"))
    assert same(People([ANA, moved, silent], [rule]), ANA, moved, silent)


def test_a_name_that_nobody_has_is_told() -> None:
    people = People([ANA], [PersonRule("Ben Ode", ("ben@harbor.example",))])
    assert doubts(people) == [(DoubtKind.nobody, 0)]
    assert people.doubts[0].why == (
        'nobody is known as "ben@harbor.example", as the configuration says of Ben Ode'
    )


def test_a_name_of_several_in_one_tool_joins_nobody() -> None:
    second = Account("jira", "2", "Ana Reyes", "ana.r@harbor.example")
    people = People([ANA, second], [PersonRule("Ana", ("Ana Reyes",))])
    assert len(people.identities) == 2
    assert (DoubtKind.twice, 2) in doubts(people)


def test_two_entries_do_not_share_an_account() -> None:
    rules = [PersonRule("Ana", ("ana@harbor.example",)), PersonRule("Ben", ("jira:1", "linear:7"))]
    linear = Account("linear", "7", "Ben Ode")
    people = People([ANA, linear], rules)
    assert not same(people, ANA, linear)
    assert doubts(people) == [(DoubtKind.claimed, 2)]
    assert people.doubts[0].why == "Ben has accounts that are Ana's already"


def test_somebody_left_when_every_account_is_closed() -> None:
    closed = Account("jira", "1", "Ana Reyes", "ana@harbor.example", active=False)
    open_ = Account("linear", "7", "ana", "ana@harbor.example")
    [one] = People([closed, open_]).identities
    assert not one.left
    assert one.open_in == ("linear",)
    [gone] = People([closed]).identities
    assert gone.left


accounts = st.lists(
    st.builds(
        Account,
        instance=st.sampled_from(("jira", "linear", "notion")),
        id=st.integers(0, 9).map(str),
        name=st.sampled_from(("Ana Reyes", "Ana Reye", "ana", "Ben Ode", "", "ben ode")),
        email=st.sampled_from(("", "", "ana@harbor.example", "ANA@harbor.example", "b@x.example")),
    ),
    max_size=12,
    unique_by=lambda one: (one.instance, one.id),
)


@settings(max_examples=80, deadline=None, derandomize=True)
@given(accounts, st.randoms(use_true_random=False))
def test_everybody_is_somebody_once_and_never_two_addresses_unasked(
    found: list[Account], rng: random.Random
) -> None:
    people = People(found)
    listed = [one for identity in people.identities for one in identity.accounts]
    assert sorted(listed) == sorted(found)
    for identity in people.identities:
        assert len({one.email.casefold() for one in identity.accounts if one.email}) <= 1
    rng.shuffle(found)
    again = People(found)
    assert (again.identities, again.doubts) == (people.identities, people.doubts)


# Settling a doubt ---------------------------------------------------------------------------------


def settled(people: People, found: Sequence[Account], rules: Sequence[PersonRule] = ()) -> People:
    """The same after all proposals were followed, as they are."""
    replaced = {doubt.instead for doubt in people.doubts}
    kept = [rule for rule in rules if rule.name not in replaced]
    return People(found, [*kept, *(block for doubt in people.doubts for block in doubt.blocks)])


def test_different_addresses_are_settled_by_one_block() -> None:
    other = Account("linear", "7", "Ana Reyes", "ana.reyes@ships.example")
    silent = Account("notion", "9", "Ana Reyes")
    found = [ANA, other, silent]
    people = People(found)
    [doubt] = people.doubts
    assert doubt.blocks == (
        PersonRule("Ana Reyes", ("ana@harbor.example", "ana.reyes@ships.example", "notion:9")),
    )
    assert not doubt.sure
    after = settled(people, found)
    assert same(after, *found)
    assert after.doubts == ()


def test_addresses_that_differ_behind_the_at_only_are_hardly_in_doubt() -> None:
    other = Account("linear", "7", "Ana Reyes", "ANA@ships.example")
    [doubt] = People([ANA, other]).doubts
    assert doubt.sure
    assert not same(People([ANA, other]), ANA, other)


def test_of_two_in_one_tool_each_gets_a_block_and_one_the_counterpart() -> None:
    second = Account("jira", "2", "Ana Reyes")
    linear = Account("linear", "7", "Ana Reyes")
    found = [ANA, second, linear]
    people = People(found)
    [doubt] = people.doubts
    assert doubt.blocks == (
        PersonRule("Ana Reyes", ("ana@harbor.example", "linear:7")),
        PersonRule("Ana Reyes 2", ("jira:2",)),
    )
    assert not doubt.sure
    after = settled(people, found)
    assert same(after, ANA, linear)
    assert not same(after, ANA, second)
    assert after.doubts == ()


def test_a_counterpart_by_address_stays_with_its_own() -> None:
    second = Account("jira", "2", "Ana Reyes", "zoe@harbor.example")
    linear = Account("linear", "7", "Ana Reyes", "zoe@harbor.example")
    found = [ANA, second, linear]
    people = People(found)
    assert people.doubts[0].blocks == (
        PersonRule("Ana Reyes", ("zoe@harbor.example",)),
        PersonRule("Ana Reyes 2", ("ana@harbor.example",)),
    )
    assert settled(people, found).doubts == ()


def test_two_in_one_tool_alone_may_be_one_person_with_two_accounts() -> None:
    second = Account("jira", "2", "Ana Reyes")
    people = People([ANA, second])
    [doubt] = people.doubts
    assert doubt.blocks == (PersonRule("Ana Reyes", ("ana@harbor.example", "jira:2")),)
    assert same(settled(people, [ANA, second]), ANA, second)


def test_a_block_for_each_keeps_two_of_one_name_apart_for_good() -> None:
    silent = Account("linear", "7", "Ana Reyes")
    rules = [PersonRule("Ana One", ("jira:1",)), PersonRule("Ana Two", ("linear:7",))]
    people = People([ANA, silent], rules)
    assert not same(people, ANA, silent)
    assert {one.name for one in people.identities} == {"Ana One", "Ana Two"}
    assert people.doubts == ()


def test_whoever_of_the_same_name_comes_later_is_told_beside_two_blocks() -> None:
    silent, late = Account("linear", "7", "Ana Reyes"), Account("notion", "9", "Ana Reyes")
    rules = [PersonRule("Ana One", ("jira:1",)), PersonRule("Ana Two", ("linear:7",))]
    found = [ANA, silent, late]
    people = People(found, rules)
    assert len(people.identities) == 3
    [doubt] = people.doubts
    assert (doubt.kind, doubt.instead) == (DoubtKind.claimed, "Ana One")
    assert doubt.blocks == (PersonRule("Ana One", ("jira:1", "notion:9")),)
    assert settled(people, found, rules).doubts == ()


def test_a_near_name_is_settled_by_a_block_for_both_or_for_the_one_alone() -> None:
    nick = Account("linear", "7", "ana")
    people = People([ANA, nick])
    [doubt] = people.doubts
    assert doubt.blocks == (PersonRule("Ana Reyes", ("linear:7", "ana@harbor.example")),)
    assert same(settled(people, [ANA, nick]), ANA, nick)
    assert People([ANA, nick], [PersonRule("Ana Lund", ("linear:7",))]).doubts == ()


def test_a_near_name_of_somebody_with_a_block_adds_to_that_block() -> None:
    nick = Account("linear", "7", "ana")
    rules = [PersonRule("Ana R.", ("jira:1",))]
    people = People([ANA, nick], rules)
    [doubt] = people.doubts
    assert (doubt.instead, doubt.blocks) == (
        "Ana R.",
        (PersonRule("Ana R.", ("jira:1", "linear:7")),),
    )
    assert same(settled(people, [ANA, nick], rules), ANA, nick)


def test_names_that_nobody_has_are_taken_out_and_told_once() -> None:
    rules = [PersonRule("Ana R.", ("jira:1", "linear:8", "ana@ships.example"))]
    people = People([ANA], rules)
    [doubt] = people.doubts
    assert doubt.why == (
        'nobody is known as "linear:8" or "ana@ships.example", as the configuration says of Ana R.'
    )
    assert (doubt.instead, doubt.blocks) == ("Ana R.", (PersonRule("Ana R.", ("jira:1",)),))
    assert settled(people, [ANA], rules).doubts == ()
    [gone] = People([ANA], [PersonRule("Ben Ode", ("ben@harbor.example",))]).doubts
    assert (gone.instead, gone.blocks) == ("Ben Ode", ())


def test_a_name_of_several_in_a_block_is_replaced_by_one_of_them() -> None:
    second = Account("jira", "2", "Ana Reyes")
    rules = [PersonRule("Ana", ("Ana Reyes",))]
    people = People([ANA, second], rules)
    doubt = people.doubts[0]
    assert doubt.blocks == (PersonRule("Ana", ("ana@harbor.example",)),)


def test_an_account_is_left_to_the_block_that_has_it() -> None:
    rules = [PersonRule("Ana", ("ana@harbor.example",)), PersonRule("Ben", ("jira:1", "linear:7"))]
    linear = Account("linear", "7", "Ben Ode")
    people = People([ANA, linear], rules)
    [doubt] = people.doubts
    assert (doubt.instead, doubt.blocks) == ("Ben", (PersonRule("Ben", ("linear:7",)),))
    assert settled(people, [ANA, linear], rules).doubts == ()


def test_what_made_an_account_somebodys_is_told() -> None:
    nick = Account("linear", "7", "ana", "ana@harbor.example")
    silent = Account("notion", "9", "Ana Reyes")
    other = Account("ships", "4", "areyes")
    lone = Account("jira", "5", "Ben Ode")
    people = People(
        [ANA, nick, silent, other, lone], [PersonRule("Ana Reyes", ("ships:4", "jira:1"))]
    )
    ways = {one.instance: people.ways(one) for one in (nick, silent, other)}
    assert ways == {"linear": (Way.address,), "notion": (Way.name,), "ships": (Way.rule,)}
    assert people.ways(ANA) == (Way.rule, Way.address, Way.name)
    assert people.ways(lone) == ()


def test_names_are_compared_for_likeness_only_when_doubts_are_asked_for() -> None:
    code = (
        "import sys; from opsync.people import People; from opsync.model import Account\n"
        "people = People([Account('jira', '1', 'Ana Reyes'), Account('linear', '7', 'ana')])\n"
        "print('rapidfuzz' in sys.modules, len(people.doubts), 'rapidfuzz' in sys.modules)"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.split() == ["False", "1", "True"]


def test_a_tool_that_does_not_tell_keeps_nobody_in_the_company() -> None:
    closed = Account("jira", "1", "Ana Reyes", "ana@harbor.example", active=False)
    page = Account("notion", "9", "Ana Reyes", "ana@harbor.example", active=None)
    [gone] = People([closed, page]).identities
    assert (gone.left, gone.open_in) == (True, ())
    [unknown] = People([page]).identities
    assert not unknown.left


@settings(max_examples=80, deadline=None, derandomize=True)
@given(accounts)
def test_following_the_review_list_comes_to_an_end(found: list[Account]) -> None:
    rules: list[PersonRule] = []
    for _ in range(len(found) + 1):
        people = People(found, rules)
        if not people.doubts:
            break
        doubt = people.doubts[0]
        assert doubt.blocks
        rules = [rule for rule in rules if rule.name != doubt.instead] + list(doubt.blocks)
    assert people.doubts == ()
