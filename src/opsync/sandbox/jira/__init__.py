"""A faithful stand-in for Jira Cloud (REST v3) and Data Center (REST v2)."""

from opsync.sandbox.jira.site import JiraSite
from opsync.sandbox.jira.values import Issue, Project, RemoteLink, Status, User

__all__ = ["Issue", "JiraSite", "Project", "RemoteLink", "Status", "User"]
