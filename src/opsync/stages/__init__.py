"""The stages of a pass: pull ► normalize ► store ► link ► measure ► roll up ► plan ► limit ► apply.

In this order: one verb, one public function, one file each; stages do not know each other. All but
`pull`, `measure` and `apply` are pure: no I/O, no clock, no randomness.
"""
