"""Mutation: how many small changes of the code that decides go unnoticed by its tests.

`python -m tests.mutation [TARGET …]` changes one operator, constant, statement or argument at a
time, and runs the tests near it. What no test notices is printed.
"""
