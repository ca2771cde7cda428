"""Planted bugs: realistic mistakes, of which each must be noticed by the tests.

`python -m tests.planted [NAME …]` puts one at a time into a copy of the project and runs the tests
near it, and all of them where those notice nothing.
"""
