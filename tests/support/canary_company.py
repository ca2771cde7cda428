"""The company with private work of every sort, and what happens in it."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import structlog

from opsync.engine.session import open_session
from opsync.http import Pool
from opsync.runtime import Runtime
from opsync.sandbox.notion import DataSource, Page
from tests.support.canaries import (
    JIRA,
    LINEAR,
    MEASURED,
    NOTION,
    TOKENS,
    Canaries,
    Hidden,
)
from tests.support.canary_usage import measure, shipped
from tests.support.world import (
    HOSTS,
    World,
    jira_url,
    linear_project_url,
    spoiler,
    troubles,
)

SCOPED = "roadmap"
"""The label of all that is read from Jira."""


@contextmanager
def company(folder: Path, expose: str) -> Iterator[Canaries]:
    """The company in its second time; `expose` is the setting of all three connections."""
    world = World(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        runtime = Runtime(clock=world.clock)
        simulated = partial(open_session, transport=world.net, runtime=runtime)
        for module in ("onepass", "doctor", "statuses", "webhooks", "asking"):
            patch.setattr(f"opsync.cli.{module}.open_session", simulated)
        patch.setattr("opsync.engine.onboarding.Pool", partial(Pool, transport=world.net))
        for name, token in TOKENS.items():
            patch.setenv(f"OPSYNC_{name.upper().replace('-', '_')}__TOKEN", token)
        canaries = Canaries(world, expose, patch)
        with _logs_as_before():
            _Plot(canaries).play()
            yield canaries


@contextmanager
def _logs_as_before() -> Iterator[None]:
    """The command line sets up logging for its whole process, which here is the tests'."""
    logger = logging.getLogger()
    handlers, level = list(logger.handlers), logger.level
    structlog.reset_defaults()
    yield
    structlog.reset_defaults()
    logger.handlers = handlers
    logger.setLevel(level)


class _Plot:
    """What happens in the company."""

    def __init__(self, canaries: Canaries) -> None:
        self.all = canaries
        self.world = canaries.world
        self.jira, self.linear = self.world.jira, self.world.linear
        self.public: dict[str, Page] = {}
        self.measured = (f"{MEASURED}-one", f"{MEASURED}-two")
        self.owner = self.jira.add_user("Perpetua Quill", "perpetua@harbor.example")

    def play(self) -> None:
        """From the beginning to the day on which everything is private."""
        self._settings()
        self._jira()
        self._linear()
        self._notion()
        self._public()
        self._label_all()
        self.all.configure()
        report = self.all.sync()
        assert not any(one.trouble for one in report.instances), troubles(report)
        self._decide()
        self.all.sync()
        self.all.sent_before = {n: len(v.exchanges) for n, v in self.world.vendors.items()}
        self._become_private()
        self.all.configure()
        self.all.transcript.append(self.all.opsync("sync", "--json", "--log", "debug"))
        self._leave()
        self.all.transcript.append(self.all.opsync("sync", "--full", "--log", "debug"))
        self._wait()

    def hide(
        self, sort: str, instance: str, title: str, key: str = "", *, later: bool = False
    ) -> None:
        self.all.hidden.append(Hidden(sort, instance, title, key, later))

    def _settings(self) -> None:
        raw = self.world.raw
        for block in raw["instances"].values():
            block["expose"] = self.all.expose
        raw["instances"][JIRA] |= {"labels": [SCOPED], "private_projects": ["HID"]}
        portfolio = {"instance": "linear", "kind": "initiative"}
        raw["rollup"].append({"name": "portfolio", "mode": "apply", "roots": portfolio})
        measure(self.world, *self.measured)

    # The first time -------------------------------------------------------------------------

    def issue(
        self, sort: str, project: str, title: str, *, later: bool = False, **more: Any
    ) -> str:
        """A private issue of Jira with all that belongs to it, or one that becomes private."""
        security = None if project not in ("PAY", "MOB") or later else "Staff"
        labels = ("obsidian",)
        text = more.pop("description", "") + " carnelian"
        key = self.jira.add_issue(
            project,
            title,
            security=security,
            labels=labels,
            description=text,
            assignee=self.owner,
            **more,
        ).key
        self.hide(sort, JIRA, title, key, later=later)
        return key

    def _jira(self) -> None:
        jira = self.jira
        jira.add_project("VLT", "Wolfram vault", private=True)
        jira.add_project("HID", "Hafnium lab")
        jira.add_project("TEM", "Latent crew")
        gro = "https://linear.app/harbor/issue/GRO-2"
        self.issue(
            "security level",
            "PAY",
            "Amaranth ledger",
            parent="PAY-1",
            status="Doing",
            description=f"After {gro}",
        )
        self.vault = self.issue("private project", "VLT", "Basanite core", status="Doing")
        self.parent = self.issue(
            "done with open parts", "VLT", "Celadon frame", issue_type="Epic", status="Done"
        )
        self.issue("an open part", "VLT", "Damask panel", parent=self.parent, status="To Do")
        self.lone = self.issue("configured as private", "HID", "Eburnean run", status="Doing")
        self.team = self.issue(
            "team in Jira", "TEM", "Fuchsite rollout", status="Doing", later=True
        )
        self.scope_left = self.issue("out of scope", "PAY", "Garnet audit", status="Doing")
        self.team_left = self.issue("team's, out of scope", "TEM", "Heliodor audit", later=True)
        self.team_gone = self.issue("team's, not listed", "TEM", "Ilmenite audit", later=True)
        self.leveled = self.issue(
            "security level, later", "PAY", "Jarosite cards", later=True, status="Doing"
        )
        self.accepted = self.issue("accepted, later private", "MOB", "Kyanite flow", later=True)
        self.rejected = self.issue("rejected, later private", "MOB", "Larimar flow", later=True)
        self.suggested = self.issue(
            "suggested, later private",
            "MOB",
            "Mellite referral programme",
            later=True,
            status="Doing",
        )
        self.kept_out = self.issue("never suggested", "PAY", "Nephrite referral programme")
        self.aside = self.issue("set aside", "PAY", "Orpiment import", status="Doing")
        self.gone = self.issue("gone", "PAY", "Painite export", status="Doing")
        self.original = self.issue("original of a copy", "PAY", "Quartzite sync", status="Doing")
        self.lost = self.issue("original that is gone", "PAY", "Realgar sync", status="Doing")

    def work(self, sort: str, team: str, title: str, *, later: bool = False, **more: Any) -> Any:
        """The same of an issue of Linear."""
        text = more.pop("description", "") + " carnelian"
        made = self.linear.add_issue(
            team, title, description=text, labels=["obsidian"], assignee=self.lead, **more
        )
        self.hide(sort, LINEAR, title, made.identifier, later=later)
        return made

    def _linear(self) -> None:
        linear = self.linear
        self.lead = linear.add_user("Perpetua Quill", "perpetua@harbor.example")
        linear.add_team("SEC", "Tungsten squad", private=True)
        linear.add_team("LAT", "Latent crew")
        self.private = self.work(
            "private team",
            "SEC",
            "Serpentine keys",
            state="In Progress",
            description=f"For {jira_url('PAY-4')}",
        )
        self.project = linear.add_project(
            "Tanzanite vault", teams=["SEC"], lead=self.lead, content="carnelian"
        )
        self.hide("private project of Linear, its owner left", LINEAR, "Tanzanite vault")
        linear.add_issue("GRO", "Open shelf", project=self.project)
        linear.add_initiative(
            "Uvarovite bets",
            lead_team="SEC",
            content="carnelian",
            owner=self.lead,
            links=[("work", jira_url("PAY-1"))],
        )
        self.hide("private initiative of Linear", LINEAR, "Uvarovite bets")
        self.latent = self.work(
            "team in Linear", "LAT", "Vivianite keys", later=True, state="In Progress"
        )
        self.latent_project = linear.add_project("Wulfenite vault", teams=["LAT"])
        self.hide("project of a team in Linear", LINEAR, "Wulfenite vault", later=True)
        linear.add_issue("GRO", "Latch", project=self.latent_project)
        self.copied = self.work("copy of a public issue", "SEC", "Xenotime keys")
        linear.sync_with_jira(
            self.copied, "PAY-2", jira_url("PAY-2"), str(self.jira.issue("PAY-2").id)
        )
        copy = linear.add_issue("GRO", "Public copy")
        linear.sync_with_jira(
            copy, self.original, jira_url(self.original), str(self.jira.issue(self.original).id)
        )
        lost = linear.add_issue("GRO", "Copy of something")
        linear.sync_with_jira(
            lost, self.lost, jira_url(self.lost), str(self.jira.issue(self.lost).id)
        )
        lone = self.work("copy of what was never read", "SEC", "Yttrium keys")
        linear.sync_with_jira(lone, "PAY-4242", jira_url("PAY-4242"), "424242")
        # Nobody can know that what was never read is private: its key is the word of the page.
        self.broken = self.work("never readable", "SEC", "Zircon keys")
        self.all.hidden[-1] = replace(self.all.hidden[-1], key="")
        self.world.net.spoil[HOSTS[LINEAR]] = spoiler(
            self.broken.identifier, lambda node: node.update(title=["no", "text"])
        )
        linear.edit("GRO-1", description=f"Beside {self.private.url} and {self.team}")
        linear.edit("GRO-2", description=f"Waits for {jira_url(self.leveled)}")
        linear.edit("GRO-3", description=f"Waits for {jira_url('PAY-3')}, {self.vault}")

    def _notion(self) -> None:
        world, source = self.world, self.world.source
        schema = world.notion.state.data_sources[source.id].schema
        schema.add("Secret", {"checkbox": {}})
        block = world.raw["instances"][NOTION]["data_sources"][0]
        block["private_column"] = "Secret"
        self.page(
            "restricted page",
            "Andesite plan",
            f"{jira_url('PAY-1')} {self.private.url}",
            secret=True,
            **shipped(self.world, self.measured[0]),
        )
        self.turned = self.page(
            "restricted later",
            "Breccia plan",
            jira_url("MOB-1"),
            later=True,
            **shipped(self.world, self.measured[1]),
        )
        columns = {"Name": {"title": {}}, "Tracked in": {"rich_text": {}}}
        plans = world.notion.add_database("Opaline plans", properties=columns).data_source
        self.quoted = self.page("set aside with a quote", "Labradorite plan", "", secret=True)
        self.member = self.page("page of a private table", "Chalcedony plan", "", source=plans)
        world.raw["instances"][NOTION]["data_sources"].append(
            {"id": plans.id, "private": True, "kind": "project"}
        )
        # A private item names an initiative that does not name it.
        self.work("named on one side", "SEC", "Dolomite keys", description=world.loyalty.url)

    def page(
        self,
        sort: str,
        title: str,
        tracked_in: str,
        *,
        secret: bool = False,
        later: bool = False,
        source: DataSource | None = None,
        **more: object,
    ) -> Page:
        """A private page, or one that becomes private."""
        cells: dict[str, object] = {"Name": title, "Tracked in": tracked_in, **more}
        if secret:
            cells["Secret"] = True
        made = self.world.notion.add_page(source or self.world.source, cells, body="carnelian")
        self.hide(sort, NOTION, title, later=later)
        return made

    def _public(self) -> None:
        """The public initiatives that name private work, a few each, as Work names ten."""
        world = self.world
        project = linear_project_url(self.project.slug_id).replace(
            self.project.slug_id, f"tanzanite-vault-{self.project.slug_id}"
        )
        latent = f"https://linear.app/harbor/project/wulfenite-vault-{self.latent_project.slug_id}"
        for title, names in {
            "Harvest": [self.private.url, jira_url(self.vault), project, self.broken.url],
            "Irrigation": [jira_url(self.team), self.latent.url, latent, self.member.url],
            "Orchard": [jira_url(k) for k in (self.scope_left, self.team_left, self.team_gone)],
            "Pasture": [jira_url(k) for k in (self.leveled, self.aside, self.gone, self.lost)],
            "Granary": [jira_url(self.original), self.copied.url, jira_url(self.parent)],
            "Referral programme": [jira_url("MOB-2")],
            "Vineyard": [jira_url("MOB-3")],
        }.items():
            self.public[title] = world.page(title, " ".join(names))
        cells = {"Name": "Meadow", **shipped(world, "meadow")}
        self.public["Meadow"] = world.notion.add_page(world.source, cells)

    def _label_all(self) -> None:
        """Everything in Jira is in scope."""
        for issue in list(self.jira.issues.values()):
            self.jira.edit(issue.key, labels=[*issue.labels, SCOPED])

    def _decide(self) -> None:
        """What people decide while it is public."""
        for args in (
            ("links", "accept", "Vineyard", self.accepted),
            ("links", "reject", "Vineyard", self.rejected),
            ("links", "accept", "Orchard", self.scope_left),
            ("links", "accept", "Orchard", self.team_left, "--note", "as agreed"),
            ("links", "suggest"),
        ):
            said = self.all.opsync(*args)
            assert "error" not in said, said
        assert "Mellite" in said, "it is suggested as long as it is public"

    # The second time ------------------------------------------------------------------------

    def _become_private(self) -> None:
        world = self.world
        world.clock.advance(300)
        world.raw["team"] = [
            {
                "name": "Latent crew",
                "private": True,
                "scope": [
                    {"instance": JIRA, "spaces": ["TEM"]},
                    {"instance": LINEAR, "spaces": ["LAT"]},
                ],
            }
        ]
        for key in (self.leveled, self.accepted, self.rejected, self.suggested):
            self.jira.edit(key, security="Staff")
        world.notion.edit_page(self.turned, "Secret", True)
        self.linear.edit_project(self.latent_project, name="Wulfenite vault")
        self.jira.edit(self.team_gone, labels=["obsidian"])
        self.lead.active = False
        # A person's edit holds what opsync wrote there before.
        world.notion.edit_page(self.public["Irrigation"], "Work", "ours to tell")

    def _leave(self) -> None:
        world = self.world
        world.clock.advance(300)
        self.jira.edit(self.scope_left, labels=["obsidian"])
        self.jira.edit(self.team_left, labels=["obsidian"])
        self.jira.edit(self.aside, priority="High")
        world.net.spoil[HOSTS[JIRA]] = spoiler(
            self.aside, lambda issue: issue["fields"].update(labels={"Orpiment": 1})
        )
        world.notion.edit_page(self.quoted, "Due", "2026-09-01")
        world.net.spoil[HOSTS[NOTION]] = spoiler(self.quoted.id, self._misdate)
        self.all.transcript.append(self.all.opsync("sync", "--log", "debug"))
        world.clock.advance(300)
        for key in (self.gone, self.lost):
            self.jira.delete_issue(key)

    def _misdate(self, page: dict[str, Any]) -> None:
        """A date that is none: the connector quotes it in its complaint."""
        if "Due" in page.get("properties", ()):  # who writes asks for what it writes only
            page["properties"]["Due"]["date"] = {"start": self.quoted.title, "end": None}

    def _wait(self) -> None:
        """What the next run has to write: another private item is named."""
        self.world.clock.advance(300)
        names = f"{jira_url('MOB-3')} {jira_url(self.lone)}"
        self.world.notion.edit_page(self.public["Vineyard"], "Tracked in", names)
