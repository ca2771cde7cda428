"""`opsync people`: the review list with what settles it, everybody, and as JSON."""

from __future__ import annotations

import re
import tomllib
from typing import Any

import pytest

from tests.cli.conftest import Company

ANA = {"id": "u1", "name": "Ana Reyes", "email": "ana@harbor.example"}


def own(company: Company, **owners: dict[str, Any]) -> None:
    """Give items owners, `roadmap_0` being the first of the roadmap, and read all."""
    for place, owner in owners.items():
        name, _, number = place.partition("_")

        def owned(state: dict[str, Any], at: int = int(number), who: Any = owner) -> None:
            state["items"][at]["owner"] = who

        company.edit(name, owned)
    result = company.opsync("sync")
    assert result.code == 0, result.out + result.err


def paste(company: Company, *lines: str) -> None:
    """Put lines at the end of the configuration."""
    path = company.folder / "opsync.toml"
    path.write_text("\n".join([path.read_text(), *lines, ""]))


def lines_of_block(lines: list[str]) -> slice:
    """Where the first block is that is not commented out."""
    at = next(n for n, line in enumerate(lines) if line.strip() == "[[person]]")
    return slice(at, at + 3)


def test_what_is_in_doubt_comes_first_with_what_settles_it(company: Company) -> None:
    ships = {"id": "7", "name": "Ana Reyes", "email": "ana@ships.example"}
    own(company, roadmap_0=ANA, work_2=ships)
    result = company.opsync("people")
    assert result.code == 0
    assert result.lines[0] == "In doubt, and left apart (1)"
    assert result.lines[1] == (
        "! Ana Reyes has different addresses: ana@harbor.example and ana@ships.example"
    )
    assert re.search(r"^ +roadmap +Ana Reyes +ana@harbor.example +1 open$", result.out, re.M)
    assert result.out.index("known_as") < result.out.index("2 people")

    paste(company, *result.lines[lines_of_block(result.lines)])
    result = company.opsync("people")
    assert "In doubt" not in result.out
    assert result.lines[0] == "1 person · 1 in several tools"
    assert re.search(r"^ +Ana Reyes +2 +roadmap +Ana Reyes .*\[\[person\]\]$", result.out, re.M)


def test_what_is_less_certain_is_commented_out(company: Company) -> None:
    own(company, roadmap_0=ANA, work_2={"id": "7", "name": "ana"})
    result = company.opsync("people")
    assert "    # [[person]]" in result.lines
    assert '    # known_as = ["work:7", "ana@harbor.example"]' in result.lines
    assert not any(line.strip().startswith("[[person]]") for line in result.lines)


def test_a_block_that_names_nobody_is_told_with_what_stands_instead(company: Company) -> None:
    paste(company, "[[person]]", 'name = "Ben Ode"', 'known_as = ["ben@harbor.example"]')
    known_as = 'known_as = ["ana@harbor.example", "work:9"]'
    paste(company, "[[person]]", 'name = "Ana R."', known_as)
    own(company, roadmap_0=ANA)
    lines = company.opsync("people").lines
    assert "    # take out the block of Ben Ode" in lines
    at = lines.index("    # instead of your block of Ana R.:")
    assert lines[at + 3] == '    # known_as = ["ana@harbor.example"]'


def test_everybody_is_listed_with_who_left_and_who_owns_most_first(company: Company) -> None:
    gil = {"id": "u2", "name": "Gil Moreau", "active": False}
    own(company, roadmap_0=ANA, roadmap_1=ANA, work_2=gil, work_3=gil)
    result = company.opsync("people")
    assert result.lines[0] == "2 people · 1 left"
    ana = next(line for line in result.lines if "Ana Reyes" in line)
    gone = next(line for line in result.lines if "Gil Moreau" in line)
    assert result.lines.index(ana) < result.lines.index(gone)
    # One of Gil's two is canceled.
    assert re.fullmatch(r" +Gil Moreau +1 +work +Gil Moreau +left", gone)
    assert re.fullmatch(r" +Ana Reyes +2 +roadmap +Ana Reyes +ana@harbor.example", ana)


def test_more_than_fits_is_shown_with_all(company: Company) -> None:
    def grown(state: dict[str, Any]) -> None:
        state["items"] += [
            {
                "id": f"e{n}",
                "title": f"Item {n}",
                "owner": {"id": str(n), "name": f"Person N{n:02}"},
            }
            for n in range(30)
        ]

    company.edit("work", grown)
    company.opsync("sync")
    result = company.opsync("people")
    assert "… 10 more (--all)" in result.lines
    every = company.opsync("people", "--all").out
    assert "more (--all)" not in every
    assert all(f"Person N{n:02}" in every for n in range(30))
    assert len(company.opsync("people", "--json").json["people"]) == 30


def test_before_anything_was_read(company: Company) -> None:
    result = company.opsync("people")
    assert (result.code, result.lines) == (0, ["nothing was read yet: opsync sync"])
    assert company.opsync("people", "--json").json == {"doubts": [], "people": []}


def test_where_nobody_owns_anything(synced: Company) -> None:
    result = synced.opsync("people")
    assert (result.code, result.lines) == (0, ["no item that was read has an owner"])


def test_as_json(company: Company) -> None:
    own(company, roadmap_0=ANA, work_2={"id": "7", "name": "ana", "email": "ANA@harbor.example"})
    found = company.opsync("people", "--json").json
    assert found == {
        "doubts": [],
        "people": [
            {
                "name": "Ana Reyes",
                "left": False,
                "open": 2,
                "accounts": [
                    {
                        "instance": instance,
                        "tool": "Toy",
                        **account,
                        "active": True,
                        "matched_by": ["address"],
                        "open": 1,
                    }
                    for instance, account in (
                        ("roadmap", ANA),
                        ("work", {"id": "7", "name": "ana", "email": "ANA@harbor.example"}),
                    )
                ],
            }
        ],
    }


def test_it_asks_nobody_and_writes_nothing(company: Company) -> None:
    own(company, roadmap_0=ANA)
    for name in ("work", "roadmap"):
        company.fail(name, "down")
    before = [company.read("work"), company.read("roadmap")]
    store = (company.folder / "opsync.db").read_bytes()
    assert company.opsync("people").code == 0
    assert [company.read("work"), company.read("roadmap")] == before
    assert (company.folder / "opsync.db").read_bytes() == store


@pytest.mark.parametrize("options", [(), ("--all",), ("--json",)])
def test_who_owns_a_private_item_is_told_and_not_which(
    company: Company, options: tuple[str, ...]
) -> None:
    def hidden(state: dict[str, Any]) -> None:
        state["items"][5].update(private=True, title="Rotate the vault keys", owner=ANA)

    company.edit("work", hidden)
    company.opsync("sync")
    out = company.opsync("people", *options).out
    assert "Ana Reyes" in out
    assert "vault" not in out
    assert "PAY-77" not in out


def test_hostile_names_are_shown_inert_and_pasted_as_they_are(company: Company) -> None:
    name = 'Ana\u202e "R"\x1b[31m Reyes'
    own(
        company,
        roadmap_0={"id": "u1", "name": name},
        work_2={"id": "x\u202e\x1b7", "name": name, "email": "ana@ships.example"},
        work_0={"id": 'x"\u202e8', "name": name},
    )
    result = company.opsync("people")
    assert not re.search("[\u202e\x1b]", result.out)
    (doubt,) = company.opsync("people", "--json").json["doubts"]
    blocks = tomllib.loads(doubt["paste"].replace("# ", ""))["person"]
    assert [known for block in blocks for known in block["known_as"]] == [
        "roadmap:u1",
        'work:x"\u202e8',
        "ana@ships.example",
    ]


def test_explain_names_the_owner_once_and_what_the_tools_call_them(company: Company) -> None:
    own(company, roadmap_0=ANA, work_2={"id": "7", "name": "ana", "email": "ana@harbor.example"})
    lines = company.opsync("explain", "PAY-118").lines
    assert "owner   Ana Reyes (ana in work)" in lines
    assert "owner   Ana Reyes (ana in work)" in company.opsync("explain", "One-tap checkout").lines
    assert not any(line.startswith("owner") for line in company.opsync("explain", "PAY-77").lines)
    (one,) = [
        one
        for one in company.opsync("status", "--json").json["initiatives"]
        if one["title"] == "One-tap checkout"
    ]
    assert one["owner"] == "Ana Reyes"
