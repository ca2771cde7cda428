"""The blocks of the configuration file that are the same whatever is connected.

Each is a frozen model whose docstrings are its help texts; a connector's own block is in
`contract.settings`.
"""

from opsync.blocks.base import NAME, NAME_MAX
from opsync.blocks.general import General

__all__ = ["NAME", "NAME_MAX", "General"]
