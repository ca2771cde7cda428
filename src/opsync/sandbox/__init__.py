"""Faithful simulators of the vendors' APIs, with their paging, limits, errors and faults.

Imported by the command line (`opsync demo`, `opsync sandbox`) and by tests only.
"""
