"""`opsync init`: from nothing to a configuration that was tried out, one tool at a time.

`command` has the options and the order, `connect` how one tool is gone through and `tools` where
the three differ; `desk` is where people are asked and told. `answers`, `options`, `found`, `text`,
`picks` and `mail` are pure; `tokens` and `files` keep secrets out of the file, of options and of
sight.
"""
