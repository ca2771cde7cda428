"""The long-running service: reads on a schedule, hears change signals, shows and is told.

`serving.py` is its way from start to stop; `web` are its pages, and who may see them.
"""
