"""A simulated Mixpanel project: `MixpanelProject` and the objects it holds."""

from opsync.sandbox.mixpanel.project import MixpanelProject
from opsync.sandbox.mixpanel.state import Annotation, Report, Series

__all__ = ["Annotation", "MixpanelProject", "Report", "Series"]
