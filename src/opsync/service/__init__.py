"""The long-running service: what keeps all tools in step by itself, and shows how things stand."""
