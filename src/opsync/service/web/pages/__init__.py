"""One module a page: it looks things up, has a view made of them, and answers; or does what a
button says and leads back."""
