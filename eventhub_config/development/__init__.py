"""What development and tests need and the image never contains: servers from wheels, `make run`, `make env`.

Nothing outside this package imports it, and it imports no app.
"""
