"""What stands in the three tools, as a value by which two companies can be compared."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from opsync.sandbox.jira import JiraSite
from opsync.sandbox.linear import LinearWorkspace
from opsync.sandbox.notion import DataSource, NotionWorkspace, Page
from opsync.sandbox.posthog import Annotation, PostHogProject

OWN_COLUMNS = (
    "Delivery",
    "Delivery %",
    "Delivery health",
    "Work",
    "Adoption",
    "Delivery changed",
)


@dataclass(frozen=True)
class Standing:
    """Everything that can be seen, each thing as often as it stands there."""

    remote_links: Counter[tuple[str, str, str, str]]
    """Issue key, global id, title and summary."""
    attachments: Counter[tuple[str, str, str, str]]
    """Issue identifier, URL, title and subtitle."""
    external_links: Counter[tuple[str, str, str]]
    """Project, URL and label."""
    notes: Counter[tuple[str, str]]
    """Day and text of each annotation."""
    columns: tuple[str, ...]
    cells: Mapping[str, tuple[object, ...]]
    """The own columns by page title."""

    @property
    def doubled(self) -> list[object]:
        """Places in which two things of opsync's stand where one belongs."""
        places: list[Counter[object]] = [
            Counter((key, global_id) for key, global_id, *_ in self.remote_links.elements()),
            Counter((key, url) for key, url, *_ in self.attachments.elements()),
            Counter((project, url) for project, url, _ in self.external_links.elements()),
            Counter(text[text.rindex("[opsync:") :] for _, text in self.notes.elements()),
            Counter(name.split(" (opsync)")[0] for name in self.columns),
        ]
        return [place for each in places for place, count in each.items() if count > 1]


@dataclass(frozen=True)
class Tools:
    """The tools, and the table in Notion that is the roadmap."""

    jira: JiraSite
    linear: LinearWorkspace
    notion: NotionWorkspace
    source: DataSource
    posthog: PostHogProject | None = None


def standing(tools: Tools) -> Standing:
    """What stands in the tools now."""
    jira, linear, notion, source = tools.jira, tools.linear, tools.notion, tools.source
    with jira.lock, linear.lock, notion.lock:
        return Standing(
            remote_links=Counter(
                (
                    jira.issue(issue_id).key,
                    link.global_id or "",
                    str(link.object["title"]),
                    str(link.object.get("summary")),
                )
                for issue_id, links in jira.remote_links.items()
                for link in links.values()
            ),
            attachments=Counter(
                (issue.identifier, each.url, each.title, each.subtitle or "")
                for issue in linear.issues.values()
                for each in issue.attachments
            ),
            external_links=Counter(
                (project.name, each.url, each.label)
                for project in linear.projects.values()
                for each in project.external_links
            ),
            notes=Counter(map(_note, tools.posthog.notes if tools.posthog else ())),
            columns=tuple(column.name for column in source.schema.properties.values()),
            cells={
                page.title: tuple(_shown(page, name) for name in OWN_COLUMNS)
                for page in notion.state.pages_of(source)
            },
        )


def _note(annotation: Annotation) -> tuple[str, str]:
    return str(annotation.date_marker), annotation.content or ""


def _shown(page: Page, name: str) -> object:
    column = page.data_source.schema.find(name)
    if column is None:
        return None
    return page.text(name) if column.type == "select" else page.cell(name)
