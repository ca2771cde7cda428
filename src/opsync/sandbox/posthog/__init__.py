"""A simulated PostHog project: `PostHogProject` and the objects it holds."""

from opsync.sandbox.posthog.project import PostHogProject
from opsync.sandbox.posthog.state import Annotation, Experiment, Flag, Insight, Series

__all__ = ["Annotation", "Experiment", "Flag", "Insight", "PostHogProject", "Series"]
