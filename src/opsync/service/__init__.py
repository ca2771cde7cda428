"""The long-running service: one process that keeps everything in step and shows how it stands."""
