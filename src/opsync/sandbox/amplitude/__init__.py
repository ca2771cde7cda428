"""A simulated Amplitude project: `AmplitudeProject` and what it holds."""

from opsync.sandbox.amplitude.project import AmplitudeProject
from opsync.sandbox.amplitude.state import Annotation, Category, Chart, Flag

__all__ = ["AmplitudeProject", "Annotation", "Category", "Chart", "Flag"]
