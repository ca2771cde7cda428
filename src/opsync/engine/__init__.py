"""When to run what: opening the configured instances and running passes, one at a time each."""
