"""What `make bench` runs: booking and reading, ours beside a bare prototype of the same work, as ratios.

Machines drift by a third within minutes, so only numbers of one run are compared: both sides stand on the same durable
PostgreSQL, and phases of a few seconds alternate between them. ``bare/`` is the prototype, a Django project of its own.
"""
