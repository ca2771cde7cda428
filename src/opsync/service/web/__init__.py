"""The service's pages, and all that stands between a request and a page.

`access` finds out who asks and what they may, `headers` says what a browser may do with an answer,
`routes` names what each page needs.
"""
