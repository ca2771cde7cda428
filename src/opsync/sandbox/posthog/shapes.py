"""What the simulated PostHog answers for its objects.

https://posthog.com/docs/api: every documented field is there, those without a part here as they
are in a small project.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import TypeAlias

from opsync.sandbox.posthog.state import Annotation, Experiment, Flag, Insight, Person, Series
from opsync.sandbox.usage import History

Answer: TypeAlias = dict[str, object]


def iso(at: datetime | None) -> str | None:
    """A moment as the vendor writes it, in UTC."""
    return None if at is None else at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def uuid_of(what: str) -> str:
    """The same UUID for the same thing."""
    return str(uuid.uuid5(uuid.NAMESPACE_OID, f"posthog/{what}"))


def person_shape(person: Person) -> Answer:
    first, _, last = person.name.partition(" ")
    return {
        "id": person.id,
        "uuid": uuid_of(f"user/{person.id}"),
        "distinct_id": uuid_of(f"distinct/{person.id}"),
        "first_name": first,
        "last_name": last,
        "email": person.email,
        "is_email_verified": True,
        "hedgehog_config": None,
        "role_at_organization": "product",
    }


def annotation_shape(annotation: Annotation) -> Answer:
    return {
        "id": annotation.id,
        "content": annotation.content,
        "date_marker": iso(annotation.date_marker),
        "creation_type": annotation.creation_type,
        "dashboard_item": None,
        "dashboard_id": None,
        "dashboard_name": None,
        "insight_short_id": None,
        "insight_name": None,
        "insight_derived_name": None,
        "created_by": person_shape(annotation.created_by),
        "created_at": iso(annotation.created_at),
        "updated_at": iso(annotation.updated_at),
        "deleted": annotation.deleted,
        "scope": annotation.scope,
    }


def flag_shape(flag: Flag) -> Answer:
    groups = [{"properties": [], "rollout_percentage": 100, "variant": None}]
    return {
        "id": flag.id,
        "name": flag.name,
        "key": flag.key,
        "filters": {"groups": groups, "payloads": {}, "multivariate": None},
        "deleted": flag.deleted,
        "active": flag.active,
        "created_by": person_shape(flag.created_by),
        "created_at": iso(flag.created_at),
        "updated_at": iso(flag.updated_at),
        "version": 1,
        "last_modified_by": person_shape(flag.created_by),
        "is_simple_flag": True,
        "rollout_percentage": 100,
        "ensure_experience_continuity": False,
        "experiment_set": "[]",
        "surveys": {},
        "features": {},
        "rollback_conditions": None,
        "performed_rollback": False,
        "can_edit": True,
        "tags": list(flag.tags),
        "evaluation_tags": [],
        "usage_dashboard": 1,
        "analytics_dashboards": [],
        "has_enriched_analytics": False,
        "user_access_level": "editor",
        "creation_context": "feature_flags",
        "is_remote_configuration": False,
        "has_encrypted_payloads": False,
        "status": "ACTIVE" if flag.active else "INACTIVE",
        "evaluation_runtime": "all",
        "last_called_at": None,
    }


def experiment_shape(experiment: Experiment) -> Answer:
    flag = experiment.flag
    return {
        "id": experiment.id,
        "name": experiment.name,
        "description": experiment.description,
        "start_date": iso(experiment.start_date),
        "end_date": iso(experiment.end_date),
        "feature_flag_key": flag.key,
        "feature_flag": {
            "id": flag.id,
            "team_id": 1,
            "name": flag.name,
            "key": flag.key,
            "filters": {},
            "deleted": flag.deleted,
            "active": flag.active,
            "ensure_experience_continuity": False,
            "has_encrypted_payloads": False,
            "version": 1,
            "evaluation_runtime": "all",
            "evaluation_tags": [],
        },
        "holdout": {
            "id": 0,
            "name": "",
            "description": None,
            "filters": [],
            "created_by": person_shape(experiment.created_by),
            "created_at": iso(experiment.created_at),
            "updated_at": iso(experiment.updated_at),
        },
        "holdout_id": None,
        "exposure_cohort": None,
        "parameters": {},
        "secondary_metrics": [],
        "saved_metrics": [],
        "saved_metrics_ids": [],
        "filters": {},
        "archived": experiment.archived,
        "deleted": False,
        "created_by": person_shape(experiment.created_by),
        "created_at": iso(experiment.created_at),
        "updated_at": iso(experiment.updated_at),
        "type": "product",
        "exposure_criteria": {},
        "metrics": [],
        "metrics_secondary": [],
        "stats_config": {},
        "conclusion": None,
        "conclusion_comment": None,
        "primary_metrics_ordered_uuids": None,
        "secondary_metrics_ordered_uuids": None,
        "user_access_level": "editor",
    }


def insight_shape(insight: Insight, history: History, *, result: object) -> Answer:
    """An insight with what was computed for it, or None."""
    source = {"kind": "TrendsQuery", "interval": insight.interval}
    return {
        "id": insight.id,
        "short_id": insight.short_id,
        "name": insight.name,
        "derived_name": None,
        "query": {"kind": "InsightVizNode", "source": source},
        "order": None,
        "deleted": insight.deleted,
        "dashboards": [],
        "dashboard_tiles": [],
        "last_refresh": iso(history.now()) if result is not None else None,
        "cache_target_age": None,
        "next_allowed_client_refresh": None,
        "result": result,
        "hasMore": None,
        "columns": None,
        "created_at": iso(insight.created_at),
        "created_by": person_shape(insight.created_by),
        "description": "",
        "updated_at": iso(insight.updated_at),
        "tags": [],
        "favorited": False,
        "last_modified_at": iso(insight.updated_at),
        "last_modified_by": person_shape(insight.created_by),
        "is_sample": False,
        "effective_restriction_level": 21,
        "effective_privilege_level": 37,
        "user_access_level": "editor",
        "timezone": str(history.zone),
        "is_cached": False,
        "query_status": None,
        "hogql": None,
        "types": None,
        "alerts": [],
        "last_viewed_at": None,
    }


def query_status_shape(query_id: str, *, complete: bool, at: datetime) -> Answer:
    """A query that is computed in the background."""
    return {
        "id": query_id,
        "team_id": 1,
        "query_async": True,
        "complete": complete,
        "error": False,
        "error_message": None,
        "insight_id": None,
        "dashboard_id": None,
        "labels": [],
        "results": None,
        "start_time": iso(at),
        "end_time": iso(at) if complete else None,
        "expiration_time": None,
        "pickup_time": iso(at),
        "task_id": None,
        "query_progress": {
            "active_cpu_time": 0,
            "bytes_read": 0,
            "estimated_rows_total": 0,
            "rows_read": 0,
            "time_elapsed": 0,
        },
    }


def trend_of(insight: Insight, history: History, override: Mapping[str, object]) -> list[Answer]:
    """The lines of a trend: the last days and today, or from `date_from` to `date_to`."""
    first, last = history.today - timedelta(days=insight.days), history.today
    if "date_from" in override:
        first = date.fromisoformat(str(override["date_from"]))
    if "date_to" in override:
        last = date.fromisoformat(str(override["date_to"]))
    days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    return [_line(series, days, history) for series in insight.series]


def _line(series: Series, days: list[date], history: History) -> Answer:
    data = [
        history.times(series.kind, series.name, day)
        if series.counts == "events"
        else len(history.users(series.kind, series.name, day))
        for day in days
    ]
    return {
        "action": {"id": series.name, "type": "events", "order": 0, "math": "dau"},
        "label": series.label,
        "count": float(sum(data)),
        "data": [float(value) for value in data],
        "labels": [f"{day:%d-%b-%Y}" for day in days],
        "days": [day.isoformat() for day in days],
    }


def project_shape(project_id: str, name: str, history: History) -> Answer:
    began = datetime.combine(date(2024, 1, 1), time(), UTC)
    return {
        "id": int(project_id),
        "uuid": uuid_of(f"project/{project_id}"),
        "organization": uuid_of("organization"),
        "name": name,
        "product_description": None,
        "api_token": "phc_sandbox",
        "created_at": iso(began),
        "timezone": str(history.zone),
        "ingested_event": bool(history.events or history.flags),
        "is_demo": False,
        "completed_snippet_onboarding": True,
        "has_completed_onboarding_for": {},
        "access_control": False,
    }


def definition_shape(name: str, at: datetime) -> Answer:
    """An event that the project has seen."""
    return {
        "id": uuid_of(f"event/{name}"),
        "name": name,
        "created_at": "2024-01-01T00:00:00Z",
        "last_seen_at": iso(at),
        "last_updated_at": iso(at),
        "tags": [],
        "is_action": False,
        "post_to_slack": False,
    }
