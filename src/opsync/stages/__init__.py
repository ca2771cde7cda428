"""The stages of a pass, in their order: pull ► normalize ► store ► link ► roll up ► plan ► apply.

One verb, one public function, one file each; stages do not know each other. All but `pull` and
`apply` are pure: no I/O, no clock, no randomness.
"""
