"""The store's revisions, oldest first. A new one is added here and in `versions/`."""

REVISIONS = ("0001", "0002", "0003", "0004", "0005", "0006", "0007", "0008", "0009")
HEAD = REVISIONS[-1]
