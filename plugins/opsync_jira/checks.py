"""What `opsync doctor` examines in Jira, one question at a time."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence

import msgspec
from msgspec import Struct

from opsync import Category, Check, NotFound, OpsyncError, SignInError, sounds_like
from opsync_jira import wire
from opsync_jira.dialect import Api
from opsync_jira.explore import ProjectPage, visible_projects
from opsync_jira.fields import TIME, choose
from opsync_jira.rights import ACCESS, LINKING, WRITE_WORK, scope_hint
from opsync_jira.settings import JiraSettings


class _Account(Struct):
    display_name: str = msgspec.field(name="displayName", default="")


class _Server(Struct):
    base_url: str = msgspec.field(name="baseUrl", default="")
    deployment: str = msgspec.field(name="deploymentType", default="")
    version: str = ""


class _Permission(Struct):
    have: bool = msgspec.field(name="havePermission", default=False)


class _Permissions(Struct):
    permissions: dict[str, _Permission] = {}


class _LinkTypes(Struct):
    types: list[wire.Named] = msgspec.field(name="issueLinkTypes", default_factory=list)


async def check_all(api: Api, settings: JiraSettings, instance: str) -> AsyncIterator[Check]:
    """All checks of an instance. Stops after the sign-in if that fails."""
    try:
        account = (await api.read("GET", "myself")).decode(_Account)
    except OpsyncError as error:
        yield Check.failed("Sign-in", error)
        return
    yield Check("Sign-in", "ok", f"Signed in as {account.display_name}.")
    examiner = _Examiner(api, settings, instance)
    for title, check in (
        ("Address", examiner.server),
        ("Projects", examiner.projects),
        ("Permissions", examiner.permissions),
        ("Fields", examiner.fields),
        ("Link types", examiner.link_types),
        ("Canceled statuses", examiner.statuses),
        ("Canceled resolutions", examiner.resolutions),
    ):
        try:
            yield await check(title)
        except SignInError as error:
            yield Check.failed(title, error)
        except OpsyncError as error:
            yield Check(title, "warn", f"Could not be examined: {error.message}", error.hint)


class _Examiner:
    def __init__(self, api: Api, settings: JiraSettings, instance: str) -> None:
        self._api = api
        self._settings = settings
        self._instance = instance

    async def server(self, title: str) -> Check:
        server = (await self._api.read("GET", "serverInfo")).decode(_Server)
        is_cloud = server.deployment.lower() == "cloud"
        if server.deployment and is_cloud != self._settings.cloud:
            right = "cloud" if is_cloud else "datacenter"
            return Check(
                title,
                "fail",
                f"{self._settings.site} is Jira {'Cloud' if is_cloud else 'Data Center'}.",
                f'Set deployment = "{right}" for {self._instance}.',
            )
        base = server.base_url.rstrip("/")
        if base and base.lower() != self._settings.site.lower():
            return Check(
                title,
                "warn",
                f"Jira calls itself {base}, so links that people paste may not be recognized.",
                f'Set site = "{base}"'
                + ("" if self._settings.base_url else f' and base_url = "{self._settings.site}"')
                + ".",
            )
        return Check(title, "ok", f"{base or self._settings.site}, version {server.version}.")

    async def projects(self, title: str) -> Check:
        found = await self._visible_projects()
        wanted = self._settings.projects
        hidden = [key for key in wanted if key not in found]
        if hidden:
            return Check(
                title,
                "fail",
                f"Not visible: {', '.join(hidden)}.",
                f"Check the keys. {ACCESS}",
            )
        if not found:
            return Check(
                title,
                "fail",
                "The account sees no project.",
                ACCESS,
            )
        more = " and others" if len(found) > 10 else ""
        return Check(title, "ok", f"Reads {', '.join(sorted(found)[:10])}{more}.")

    async def permissions(self, title: str) -> Check:
        missing: dict[str, list[str]] = {}
        for key in self._settings.projects or ("",):
            params = {"permissions": "BROWSE_PROJECTS,LINK_ISSUES"}
            if key:
                params["projectKey"] = key
            try:
                answer = await self._api.read("GET", "mypermissions", params=params)
            except NotFound:
                missing.setdefault("BROWSE_PROJECTS", []).append(key)
                continue
            for name, permission in answer.decode(_Permissions).permissions.items():
                if not permission.have:
                    missing.setdefault(name, []).append(key or "any project")
        if "BROWSE_PROJECTS" in missing:
            return Check(
                title,
                "fail",
                f"May not read {', '.join(missing['BROWSE_PROJECTS'])}.",
                ACCESS,
                sign_in=True,
            )
        if "LINK_ISSUES" in missing:
            return Check(
                title,
                "warn",
                f"May read, and not link in {', '.join(missing['LINK_ISSUES'])}: nothing can be "
                "written there.",
                LINKING,
            )
        if self._settings.gateway:
            return Check(
                title,
                "warn",
                f"May read, and the account may link. Whether the token has {WRITE_WORK} shows "
                "with the first write only.",
                scope_hint(WRITE_WORK, self._instance),
            )
        return Check(title, "ok", "May read and link.")

    async def fields(self, title: str) -> Check:
        listed = (await self._api.read("GET", "field")).decode(list[wire.Field])
        names = {field.id: field.name for field in listed}
        found = dict(choose(listed, self._settings))
        named = [*found.values()]
        if self._settings.estimate_field == TIME:
            named.append(TIME)
        unknown = [id_ for id_ in named if id_ not in names]
        if unknown:
            return Check(
                title,
                "fail",
                f"There is no field {unknown[0]}.",
                "Leave estimate_field and flagged_field out to have them found by name.",
            )
        estimates = [found[slot] for slot in ("time", "points", "estimate") if slot in found]
        if self._settings.estimate_field == TIME:
            estimates.insert(0, TIME)
        flagged = [found["flagged"]] if "flagged" in found else []
        told = ", ".join(f"{names[id_]} ({id_})" for id_ in (*estimates, *flagged))
        if not estimates:
            return Check(
                title,
                "warn",
                "No estimate field found: progress is by count only.",
                'If the teams estimate, name the field: estimate_field = "customfield_…".',
            )
        if not flagged:
            return Check(
                title,
                "warn",
                f"Found {told}; no field that flags impediments.",
                'If the teams flag, name the field: flagged_field = "customfield_…".',
            )
        return Check(title, "ok", f"Found {told}.")

    async def link_types(self, title: str) -> Check:
        listed = (await self._api.read("GET", "issueLinkType")).decode(_LinkTypes).types
        known = {name for kind in listed for name in (kind.id, kind.name)}
        missing = [name for name in self._settings.blocked_link_types if name not in known]
        if missing:
            return Check(
                title,
                "warn",
                f"There is no link type {', '.join(missing)}: nothing counts as blocked by it.",
                f"Set blocked_link_types to some of: {', '.join(kind.name for kind in listed)}.",
            )
        return Check(title, "ok", f"Blocked by {', '.join(self._settings.blocked_link_types)}.")

    async def statuses(self, title: str) -> Check:
        listed = (await self._api.read("GET", "status")).decode(list[wire.Status])
        done = [status for status in listed if status.category.key == "done"]
        return self._mapping(title, "statuses", done, self._settings.statuses, listed)

    async def resolutions(self, title: str) -> Check:
        listed = (await self._api.read("GET", "resolution")).decode(list[wire.Named])
        return self._mapping(title, "resolutions", listed, self._settings.resolutions, listed)

    def _mapping(
        self,
        title: str,
        table: str,
        candidates: Iterable[wire.Status | wire.Named],
        mapped: dict[str, Category],
        listed: Sequence[wire.Status | wire.Named],
    ) -> Check:
        """Names that look canceled and are not mapped, and mapped ones that do not exist."""
        known = {name for one in listed for name in (one.id, one.name)}
        strays = [name for name in mapped if name not in known]
        if strays:
            return Check(
                title,
                "warn",
                f"`{table}` names {', '.join(map(repr, strays))}, which this site has not.",
                "Names count exactly as written; ids always do.",
            )
        suspects = sorted(
            {
                one.name
                for one in candidates
                if sounds_like(one.name) is Category.canceled
                and mapped.keys().isdisjoint((one.id, one.name))
            }
        )
        if not suspects:
            return Check(title, "ok", "None unmapped.")
        lines = "\n".join(f'{_toml_key(name)} = "canceled"' for name in suspects)
        return Check(
            title,
            "warn",
            f"Counted as done, and looks canceled: {', '.join(suspects)}.",
            f"If so, paste:\n[instances.{self._instance}.{table}]\n{lines}",
            setting=table,
        )

    async def _visible_projects(self) -> set[str]:
        """Keys of those configured that are visible; without configured ones, of some."""
        if not self._settings.cloud:
            return {project.key for project in await visible_projects(self._api)}
        found: set[str] = set()
        for key in self._settings.projects:
            answer = await self._api.read("GET", "project/search", params={"keys": key})
            found.update(project.key for project in answer.decode(ProjectPage).values)
        if not self._settings.projects:
            answer = await self._api.read("GET", "project/search", params={"maxResults": "50"})
            found.update(project.key for project in answer.decode(ProjectPage).values)
        return found


def _toml_key(name: str) -> str:
    """A name as a TOML key; a JSON string is one, too."""
    return msgspec.json.encode(name).decode()
