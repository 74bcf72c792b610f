"""Events, what can be booked for them and what happens at them, in the admin."""

from events.admin.common import EventListFilter
from events.admin.events import EventAdmin
from events.admin.programme import SessionAdmin
from events.admin.search import EventSearchAdmin, SearchWordAdmin
from events.admin.slugs import EventSlugAdmin
from events.admin.ticket_types import TicketTypeAdmin

__all__ = [
    "EventAdmin",
    "EventListFilter",
    "EventSearchAdmin",
    "EventSlugAdmin",
    "SearchWordAdmin",
    "SessionAdmin",
    "TicketTypeAdmin",
]
