"""The figures by which opsync's promises are judged: `python -m tests.verify`."""
