"""`opsync init`: from nothing to a configuration that was tried out, one tool at a time.

`command` has the options and `journey` the order. `table` lists the tools; `connect` is how one of
them is gone through, `tools`, `notion`, `analytics` and `use` where they differ. `desk` is where
people are asked and told. `answers`, `options`, `found`, `text`, `picks` and the mails are pure;
`tokens` and `files` keep secrets out of the file, of options and of sight.
"""
