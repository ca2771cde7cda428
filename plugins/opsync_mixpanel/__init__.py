"""Mixpanel: use by day in, releases out as annotations."""
