"""What all blocks of the configuration share."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

NAME = r"[a-z0-9]+(-[a-z0-9]+)*"
"""What the names of instances and rules are made of."""
NAME_MAX = 40
"""The most characters that they have."""


class Block(BaseModel):
    """A block: frozen, without unknown keys, and its docstrings are its help texts."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, hide_input_in_errors=True, use_attribute_docstrings=True
    )
