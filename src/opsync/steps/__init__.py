"""How a pass feeds the stages from the store: what to read, to derive again, to write.

The stages decide; what is here finds their inputs, bounds how many are in memory, and keeps what
they answer.
"""
