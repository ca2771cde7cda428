"""Properties: seeded worlds and state machines, held against rules written down apart."""
