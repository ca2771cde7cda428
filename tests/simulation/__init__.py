"""The whole service on a seeded event loop with virtual time: real core, connectors, retry layer
and SQLite against the simulated vendors, with faults, process death and people at work.

    python -m tests.simulation            as many seeds as CI runs
    python -m tests.simulation 4711       one seed, told step by step
"""
