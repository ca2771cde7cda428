"""What a configuration is made of, as `opsync init` found it out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from opsync.cli.init.table import JIRA, LINEAR, NOTION
from opsync.model import MetricKind

ModeName = Literal["observe", "propose", "apply"]
PageKind = Literal["initiative", "project", "issue", "document"]


@dataclass(frozen=True, slots=True)
class Word:
    """A status or resolution, by the name or id that the setting `table` takes."""

    key: str
    table: Literal["statuses", "resolutions"] = "resolutions"


@dataclass(frozen=True, slots=True, kw_only=True)
class Common:
    """What every tool's block may have.

    `api` is where it is asked if not at its usual address. `canceled` are words that mean it;
    `suspects` look so and were not asked about. `there` are some keys that the scope could name.
    """

    api: str = ""
    canceled: tuple[Word, ...] = ()
    suspects: tuple[Word, ...] = ()
    there: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class JiraAnswers(Common):
    """One Jira. No `projects`: all that the account sees."""

    site: str
    email: str = ""
    projects: tuple[str, ...] = ()
    datacenter: bool = False


@dataclass(frozen=True, slots=True)
class LinearAnswers(Common):
    """One Linear workspace. No `teams`: all that the token sees."""

    teams: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Source:
    """One data source of Notion, or a database, by id or address.

    `status`, `due` and `owner` are columns ("": found by themselves); `columns` what opsync's own
    are called, by their keys, where not as usual. `links` narrows where links are looked for.
    """

    id: str
    name: str = ""
    kind: PageKind = "initiative"
    status: str = ""
    due: str = ""
    owner: str = ""
    links: tuple[str, ...] = ()
    columns: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class NotionAnswers(Common):
    """One Notion workspace, and what is read there."""

    sources: tuple[Source, ...]


@dataclass(frozen=True, slots=True)
class AnalyticsAnswers(Common):
    """One project of an analytics tool, whose name is the connection's too.

    `account` is whose key it is, as the setting `account_key` has it, where the tool wants that.
    No `time_zone`: the tool's own.
    """

    tool: str
    region: str = ""
    project: str = ""
    account_key: str = ""
    account: str = ""
    time_zone: str = ""


@dataclass(frozen=True, slots=True)
class Use:
    """How the use of initiatives is measured: by what stands in which columns.

    `released` is the column with the day of the release. `announce`: releases are told in the
    analytics tool.
    """

    columns: tuple[tuple[MetricKind, str], ...] = ()
    released: str = ""
    announce: bool = True


Part = JiraAnswers | LinearAnswers | NotionAnswers | AnalyticsAnswers


@dataclass(frozen=True, slots=True)
class Answers:
    """All that a configuration is made of.

    `tracked_in` are the columns in which people paste links, `use` those that say by what its use
    is measured. `secrets_dir` is the folder with the
    tokens, as the file names it; "": they come from the environment.
    """

    mode: ModeName = "propose"
    jira: JiraAnswers | None = None
    linear: LinearAnswers | None = None
    notion: NotionAnswers | None = None
    analytics: tuple[AnalyticsAnswers, ...] = ()
    tracked_in: tuple[str, ...] = ()
    use: Use = field(default_factory=Use)
    time_zone: str = "UTC"
    secrets_dir: str = ""

    @property
    def parts(self) -> dict[str, Part]:
        """The connections that there are, by name, in the order of the file."""
        every: tuple[tuple[str, Part | None], ...] = (
            (JIRA, self.jira),
            (LINEAR, self.linear),
            (NOTION, self.notion),
            *((one.tool, one) for one in self.analytics),
        )
        return {name: part for name, part in every if part is not None}
