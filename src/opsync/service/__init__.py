"""The long-running process: what listens, what is done on time, and what people look at."""
