"""Corruptions to plant in a sound world: each is a generator that makes what it needs, yields, and then breaks it.

``found_by`` is the one check of ``check_integrity`` that has to notice (``also``: others that cannot but notice too),
``audited`` the lines of the audit in plain SQL that have to. What the database itself would refuse is planted past its
constraints and triggers.
"""

from eventhub_config.tests.planted import bookings, events, floor, messages, money, users
from eventhub_config.tests.planted.planting import PLANTS, Plant, guards_of_sqlite_on

__all__ = ["PLANTS", "Plant", "bookings", "events", "floor", "guards_of_sqlite_on", "messages", "money", "users"]
