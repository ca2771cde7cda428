"""Receiving change signals: what tools send when something changed."""
