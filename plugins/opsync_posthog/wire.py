"""PostHog's JSON, as far as opsync reads it: https://posthog.com/docs/api."""

from __future__ import annotations

from msgspec import Raw, Struct


class ErrorBody(Struct, frozen=True):
    """A refusal; `code` is the vendor's word for it, `detail` what people read."""

    detail: str
    code: str = ""


class Page(Struct, frozen=True):
    """A page of a list, its rows not decoded yet; `next` is the address of the next one."""

    results: list[Raw]
    count: int | None = None
    next: str | None = None


class ProjectRow(Struct, frozen=True):
    """A project; `ingested_event` says whether it has any data."""

    id: int
    name: str = ""
    timezone: str = ""
    ingested_event: bool = True


class KeyRow(Struct, frozen=True):
    """The key itself. Without scopes it may do all that its owner may, without teams see it."""

    scopes: list[str] | None = None
    scoped_teams: list[int] | None = None


class FlagRow(Struct, frozen=True):
    """A feature flag; `name` is what people wrote about it."""

    id: int
    key: str
    name: str = ""
    active: bool = True
    deleted: bool = False
    created_at: str | None = None
    updated_at: str | None = None
    tags: list[object] = []


class ExperimentRow(Struct, frozen=True):
    id: int
    name: str
    feature_flag_key: str = ""
    description: str | None = None
    archived: bool = False
    deleted: bool | None = False
    start_date: str | None = None
    end_date: str | None = None
    created_at: str | None = None
    updated_at: str | None = None


class InsightRow(Struct, frozen=True):
    """A saved insight; what it shows is not decoded yet."""

    id: int
    short_id: str
    name: str | None = None
    derived_name: str | None = None
    deleted: bool = False
    created_at: str | None = None
    updated_at: str | None = None
    query: InsightQuery | None = None
    result: Raw = Raw(b"null")
    query_status: QueryStatus | None = None

    @property
    def title(self) -> str:
        return self.name or self.derived_name or ""

    @property
    def interval(self) -> str:
        """What its values are grouped by: "day", "week"; "" where that is not told."""
        source = self.query.source if self.query else None
        return (source.interval if source else None) or ""


class QuerySource(Struct, frozen=True):
    interval: str | None = None


class InsightQuery(Struct, frozen=True):
    """What an insight shows, as far as it tells by what it is grouped."""

    source: QuerySource | None = None


class QueryStatus(Struct, frozen=True):
    """How far something is that is computed in the background."""

    id: str
    complete: bool | None = None
    error: bool | None = None
    error_message: str | None = None


class QueryStatusAnswer(Struct, frozen=True):
    query_status: QueryStatus


class AnnotationRow(Struct, frozen=True):
    """A note at a moment."""

    id: int
    content: str | None = None
    date_marker: str | None = None
    creation_type: str = "USR"
    scope: str = ""
    deleted: bool = False
    created_at: str | None = None
    updated_at: str | None = None


class Named(Struct, frozen=True):
    """An event that the project has seen."""

    name: str


class Keyed(Struct, frozen=True):
    """A flag, by its key."""

    key: str


class QueryAnswer(Struct, frozen=True, rename={"has_more": "hasMore"}):
    """Rows of a query, cut off where there are more than `limit`."""

    columns: list[str] | None = None
    results: list[list[object]] | None = None
    has_more: bool | None = None
    limit: int | None = None
    error: str | None = None
