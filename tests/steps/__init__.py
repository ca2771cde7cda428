"""Tests of the steps of a pass."""
