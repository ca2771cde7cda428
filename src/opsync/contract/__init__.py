"""What plugins see: the connector classes, their settings, and the hooks."""

CONTRACT = 1
"""The version of this contract. A plugin made for another one is not loaded."""
