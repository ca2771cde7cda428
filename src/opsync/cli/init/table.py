"""The table of tools that `opsync init` can connect: a further one is a further row. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from urllib.parse import urlsplit

JIRA, LINEAR, NOTION = "jira-main", "linear", "notion"
"""What the connections are called."""

PROJECT = re.compile(r"/projects?/(\d+)(?=/|$)")
"""Where the address of a page tells the project."""


@dataclass(frozen=True, slots=True)
class Key:
    """A credential: the setting that takes it, and what people call it. One that is not `needed`
    is good for `what`."""

    setting: str = "token"
    title: str = "token"
    needed: bool = True
    what: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """How a tool is spoken of: `thing` is what its scope consists of, `scope` the option for
    that, `makes` where its keys are made. `movable`: its address is the company's own, or one of
    several, and may be wrong."""

    name: str
    connector: str
    title: str
    thing: str
    scope: str
    makes: str
    movable: bool = False
    keys: tuple[Key, ...] = (Key(),)

    @property
    def needed(self) -> tuple[Key, ...]:
        """The keys without which it cannot be asked."""
        return tuple(key for key in self.keys if key.needed)


@dataclass(frozen=True, slots=True, kw_only=True)
class Analytics(Tool):
    """A tool that tells how much things are used.

    `regions` names the host that people open in each region, the usual one first; `hosts` are
    further ones that lead there. `own_host`: a company may run it itself. `account` is the setting
    for whose key it is, `called` what people call that. `id_at` is where the project's id stands,
    for a tool that does not tell which projects a key sees.
    """

    regions: Mapping[str, str]
    hosts: Mapping[str, str] = field(default_factory=dict)
    own_host: bool = False
    account: str = ""
    called: str = ""
    id_at: str = ""
    thing: str = "project"
    scope: str = "--analytics-project"
    movable: bool = True

    @property
    def region(self) -> str:
        """The usual one."""
        return next(iter(self.regions))

    def region_of(self, host: str) -> str:
        """The region that people reach at a host; "" for another host."""
        by_host = {one: region for region, one in self.regions.items()} | dict(self.hosts)
        return by_host.get(host.casefold(), "")


@dataclass(frozen=True, slots=True)
class Place:
    """Where an analytics project is, as far as its link tells: in a region of the tool, or at an
    address of the company's own."""

    tool: Analytics
    region: str = ""
    api: str = ""
    project: str = ""


JIRA_TOOL = Tool(
    name=JIRA,
    connector="jira",
    title="Jira",
    thing="project",
    scope="--jira-project",
    makes="id.atlassian.com → Security → API tokens. One with scopes needs read:jira-work and "
    "read:jira-user, to write also write:jira-work.",
    movable=True,
)
DATACENTER_TOOL = replace(
    JIRA_TOOL,
    makes="Jira → your picture → Profile → Personal access tokens.",
)
LINEAR_TOOL = Tool(
    name=LINEAR,
    connector="linear",
    title="Linear",
    thing="team",
    scope="--linear-team",
    makes="Linear → Settings → Account → Security & access → Personal API keys: Read, and Write "
    "to write.",
)
NOTION_TOOL = Tool(
    name=NOTION,
    connector="notion",
    title="Notion",
    thing="data source",
    scope="--notion",
    makes="notion.so/profile/integrations → a connection that may read and update content; then "
    "in the database ••• → Connections.",
)
ANALYTICS = (
    Analytics(
        name="posthog",
        connector="posthog",
        title="PostHog",
        keys=(Key("token", "personal API key"),),
        makes="PostHog → Settings → Personal API keys → Create personal API key: query:read, "
        "project:read, event_definition:read, feature_flag:read, insight:read, experiment:read, "
        "annotation:read; to write also annotation:write.",
        regions={"us": "us.posthog.com", "eu": "eu.posthog.com"},
        hosts={"app.posthog.com": "us"},
        own_host=True,
    ),
    Analytics(
        name="amplitude",
        connector="amplitude",
        title="Amplitude",
        keys=(
            Key("api_key", "API key"),
            Key("secret_key", "secret key"),
            Key("management_key", "management API key", False, "the list of flags"),
        ),
        makes="Amplitude → Settings → Organization settings → Projects → the project → General: "
        "managers and admins make them.",
        id_at="Amplitude → Settings → Organization settings → Projects → the project → General",
        regions={"us": "app.amplitude.com", "eu": "app.eu.amplitude.com"},
        hosts={
            "amplitude.com": "us",
            "analytics.amplitude.com": "us",
            "analytics.eu.amplitude.com": "eu",
        },
    ),
    Analytics(
        name="mixpanel",
        connector="mixpanel",
        title="Mixpanel",
        keys=(Key("secret", "service account's secret"),),
        makes="Mixpanel → Settings → Organization Settings → Service Accounts → Add Service "
        "Account: in the project as Consumer, to write as Analyst. Owners and admins may.",
        regions={"us": "mixpanel.com", "eu": "eu.mixpanel.com", "in": "in.mixpanel.com"},
        account="username",
        called="service account's username",
        id_at="the number in mixpanel.com/project/NUMBER",
    ),
)
TOOLS: tuple[Tool, ...] = (JIRA_TOOL, LINEAR_TOOL, NOTION_TOOL, *ANALYTICS)
"""All of them, in the order in which they are asked about."""
BY_NAME = {tool.name: tool for tool in TOOLS}


def credentials(connector: str) -> tuple[str, ...]:
    """The settings without which a connector cannot sign in."""
    found = next((tool for tool in TOOLS if tool.connector == connector), None)
    return ("token",) if found is None else tuple(key.setting for key in found.needed)


def analytics(name: str) -> Analytics | None:
    """The analytics tool that is called so, in any case."""
    wanted = name.strip().casefold()
    return next((one for one in ANALYTICS if wanted in (one.name, one.title.casefold())), None)


def listed() -> str:
    """ "PostHog, Amplitude or Mixpanel", as the table has them."""
    *names, last = (one.title for one in ANALYTICS)
    return f"{', '.join(names)} or {last}"


def regions() -> str:
    """ "us, eu or in": all that one of the analytics tools has."""
    *names, last = dict.fromkeys(region for one in ANALYTICS for region in one.regions)
    return f"{', '.join(names)} or {last}"


def accounts() -> str:
    """ "Mixpanel: service account's username": whose key it is, where a tool wants to know."""
    return "; ".join(f"{one.title}: {one.called}" for one in ANALYTICS if one.account)


def place_of(link: str, tool: Analytics | None = None) -> Place | None:
    """Where a link leads, of `tool` or of whichever it is; None where that is nowhere.

    An unknown host is a company's own if the link names a project there, as one's own PostHog has
    it.
    """
    link = link.strip()
    parts = urlsplit(link if "://" in link else f"https://{link}")
    host = (parts.hostname or "").casefold()
    if "." not in host and parts.port is None and host != "localhost":
        return None
    found = PROJECT.search(parts.path)
    project = found[1] if found else ""
    tools = ANALYTICS if tool is None else (tool,)
    for one in tools:
        if region := one.region_of(host):
            return Place(one, region, project=project)
    own = next((one for one in tools if one.own_host), None)
    known = any(one.region_of(host) for one in ANALYTICS)
    if own is None or known or (tool is None and found is None):
        return None
    before = parts.path[: found.start()] if found else ""
    return Place(own, api=f"{parts.scheme}://{parts.netloc}{before}".rstrip("/"), project=project)
