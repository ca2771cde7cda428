"""What pages show, as frozen values: pure functions from the engine's data, a module a page."""
