"""What the options of `opsync init` say, before any tool was asked. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from opsync.cli.init.answers import (
    AnalyticsAnswers,
    Answers,
    JiraAnswers,
    LinearAnswers,
    ModeName,
    NotionAnswers,
    Source,
    Use,
    Word,
)
from opsync.cli.init.table import JIRA, LINEAR, NOTION, Place, analytics, listed, place_of
from opsync.config import env_name
from opsync.errors import ConfigError
from opsync.model import MetricKind

NO_SOURCE = "0" * 32
"""The id of a data source that was not chosen yet."""
NO_PROJECT = "1"
"""The id of an analytics project that was not chosen yet, or is named otherwise."""
NO_ACCOUNT = "not-said-yet"
"""The account of a key of which nobody said whose it is."""
GATEWAY = "https://api.atlassian.com/ex/jira/"
OWN_COLUMNS = (
    "delivery",
    "delivery_pct",
    "delivery_health",
    "work",
    "adoption",
    "delivery_changed",
)

_ID = re.compile(r"[0-9a-f]{32}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_CLOUD_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What was said about the tools on the command line; "", () or False: nothing."""

    jira: str = ""
    jira_email: str = ""
    jira_project: tuple[str, ...] = ()
    jira_api: str = ""
    jira_datacenter: bool = False
    jira_canceled: tuple[str, ...] = ()
    linear: bool = False
    linear_team: tuple[str, ...] = ()
    notion: tuple[str, ...] = ()
    initiatives_in: tuple[str, ...] = ()
    tracked_in: tuple[str, ...] = ()
    status_column: str = ""
    due_column: str = ""
    owner_column: str = ""
    own_column: tuple[str, ...] = ()
    analytics: str = ""
    analytics_project: str = ""
    analytics_region: str = ""
    analytics_url: str = ""
    analytics_user: str = ""
    analytics_zone: str = ""
    event_column: str = ""
    flag_column: str = ""
    insight_column: str = ""
    released_column: str = ""
    announce: bool = True

    @property
    def tools(self) -> frozenset[str]:
        """The connections that are named."""
        named = {JIRA: bool(self.jira), LINEAR: self.linear, NOTION: bool(self.notion)}
        found = {name for name, is_named in named.items() if is_named}
        return frozenset(found | ({self.place.tool.name} if self.place else set()))

    @property
    def place(self) -> Place | None:
        """The analytics tool that is named, and where it is; None for none. Raises ConfigError."""
        return place(self) if self.analytics else None

    @property
    def use_columns(self) -> dict[MetricKind, str]:
        """The columns that are named for what use is measured by."""
        named = {
            MetricKind.event: self.event_column,
            MetricKind.flag: self.flag_column,
            MetricKind.insight: self.insight_column,
        }
        return {kind: column for kind, column in named.items() if column}

    @property
    def databases(self) -> tuple[str, ...]:
        """The databases that are named; none need be, to connect Notion."""
        return tuple(one for one in self.notion if one.strip())

    @property
    def any_tool(self) -> bool:
        """Whether a tool is named that has items of work."""
        return bool(self.jira or self.linear or self.notion)

    @property
    def nowhere(self) -> Options:
        """The same without where Jira is."""
        return replace(self, jira="", jira_email="", jira_api="", jira_datacenter=False)

    @property
    def own_columns(self) -> dict[str, str]:
        """What opsync's own columns shall be called, by their keys."""
        return dict(_own_column(one) for one in self.own_column)


def drafted(options: Options, *, mode: ModeName, time_zone: str) -> Answers:
    """The answers that the options give by themselves.

    A data source that is named by its title has a made-up id. Raises ConfigError with all that
    cannot be right.
    """
    jira = None
    if options.jira:
        if problems := jira_problems(options):
            raise ConfigError(problems[0], problems=tuple(problems))
        jira = JiraAnswers(
            site=site(options.jira),
            email=options.jira_email,
            api=gateway(options.jira_api),
            projects=tuple(key.upper() for key in options.jira_project),
            canceled=tuple(Word(name) for name in options.jira_canceled),
            datacenter=options.jira_datacenter,
        )
    notion, columns = None, options.own_columns
    if options.notion:
        found = [source(one, columns) for one in options.databases] or [Source(NO_SOURCE)]
        notion = NotionAnswers(
            tuple(
                replace(one, id=f"{number:032x}") if one.id == NO_SOURCE else one
                for number, one in enumerate(found)
            )
        )
    at = options.place
    return Answers(
        mode=mode,
        jira=jira,
        linear=LinearAnswers(teams=options.linear_team) if options.linear else None,
        notion=notion,
        analytics=(measured(at, options),) if at else (),
        tracked_in=options.tracked_in,
        use=Use(tuple(options.use_columns.items()), options.released_column, options.announce),
        time_zone=time_zone,
    )


def place(options: Options) -> Place:
    """Where the analytics project is that the options name. Raises ConfigError."""
    said = options.analytics
    tool = analytics(said)
    found = Place(tool) if tool else place_of(said)
    if found is None:
        raise ConfigError(
            f'--analytics "{said}": must be {listed()}, or the link of a project there, as in '
            "https://eu.posthog.com/project/12345"
        )
    tool, region = found.tool, options.analytics_region.casefold()
    if region and region not in tool.regions:
        raise ConfigError(
            f'--analytics-region "{region}": {tool.title} has {", ".join(tool.regions)}.'
        )
    wanted = options.analytics_project
    at = place_of(wanted, tool) if "/" in wanted else None
    if at is not None:
        found, wanted = at, ""
    return Place(
        tool,
        region or found.region,
        options.analytics_url or found.api,
        wanted or found.project,
    )


def measured(at: Place, options: Options) -> AnalyticsAnswers:
    """What is known of an analytics project that was not asked yet; made up where nothing is."""
    return AnalyticsAnswers(
        at.tool.name,
        region=at.region or at.tool.region,
        project=at.project if at.project.isdecimal() else NO_PROJECT,
        account_key=at.tool.account,
        account=(options.analytics_user or NO_ACCOUNT) if at.tool.account else "",
        time_zone=options.analytics_zone,
        api=at.api,
    )


def key_files(options: Options, given: Iterable[str]) -> dict[str, str]:
    """The files with the keys of the analytics tool, by variable. Raises ConfigError."""
    found: dict[str, str] = {}
    for one in given:
        at = options.place
        if at is None:
            raise ConfigError("--analytics-key-file: name the tool too, with --analytics.")
        settings = [key.setting for key in at.tool.keys]
        setting, named, file = one.partition("=")
        if setting not in settings:
            setting, named, file = settings[0], "=" * (len(settings) == 1), one
        if not named or not file:
            raise ConfigError(
                f'--analytics-key-file "{one}": {at.tool.title} has {", ".join(settings)}; say '
                f"which, as in {settings[0]}=FILE."
            )
        found[env_name(at.tool.name, setting)] = file
    return found


def site(address: str) -> str:
    """The address of a Jira, from what people copy out of the browser."""
    address = address.strip()
    address = address if "://" in address else f"https://{address}"
    parts = urlsplit(address)
    if (parts.hostname or "").endswith(".atlassian.net"):
        return f"{parts.scheme}://{parts.netloc}"
    return address


def gateway(api: str) -> str:
    """Where Jira's API is asked, from its address or the site's cloud id alone."""
    return GATEWAY + api if _CLOUD_ID.fullmatch(api.strip()) else api.strip()


def jira_problems(options: Options) -> list[str]:
    """What cannot be right about Jira, all of it at once."""
    problems = []
    address = site(options.jira)
    if "/browse/" in options.jira and address == options.jira.strip():
        problems.append(
            f"--jira {address}: is the address of one issue; give the site's, as in "
            f"{address.partition('/browse/')[0]}"
        )
    if not options.jira_email and not options.jira_datacenter:
        problems.append(
            "--jira-email is missing: Jira Cloud signs in with it and the token. For a Data "
            "Center say --jira-datacenter."
        )
    elif options.jira_email and "@" not in options.jira_email:
        problems.append(
            f'--jira-email "{options.jira_email}": is no email address, as in ana@harbor.example'
        )
    return problems


def source(named: str, columns: Mapping[str, str] | None = None) -> Source:
    """A data source by its address or id, else by its title."""
    columns = columns or {}
    if names_an_id(named):
        return Source(named, columns=columns)
    return Source(NO_SOURCE, name=named, columns=columns)


def names_an_id(text: str) -> bool:
    """Whether it is an id of Notion, or an address with one."""
    return _ID.search(text.partition("?")[0]) is not None


def bare_id(text: str) -> str:
    """The last id in an address, or the id itself, without dashes; "" if there is none."""
    found = _ID.findall(text.partition("?")[0])
    return found[-1].replace("-", "").lower() if found else ""


def _own_column(given: str) -> tuple[str, str]:
    key, equals, name = given.partition("=")
    if not equals or not name.strip() or key.strip() not in OWN_COLUMNS:
        raise ConfigError(
            f'--own-column "{given}": must be one of {", ".join(OWN_COLUMNS)} and a name, '
            'as in delivery="Delivery (auto)"'
        )
    return key.strip(), name.strip()
