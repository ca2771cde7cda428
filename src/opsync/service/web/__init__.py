"""The dashboard: pages that are made on the server from what is in the store.

`app.dashboard` is the whole of it. `access` finds out who asks and what they may, `headers` says
what a browser may do with an answer. `pages` answer requests, `views` make of the engine's data
what a page shows, without I/O, and `templates` lay that out.
"""
