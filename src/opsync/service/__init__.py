"""The long-running service: when to read what, change signals, pages, health and metrics."""
