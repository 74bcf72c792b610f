"""Slugs in the admin: to see which event an old address leads to."""

from django.contrib import admin

from eventhub_config.shared.scoped_admin import ScopedAdmin
from events.models import EventSlug


@admin.register(EventSlug)
class EventSlugAdmin(ScopedAdmin):
    list_display = ("slug", "event")
    list_select_related = ("event",)
    search_fields = ("slug__startswith",)
    search_help_text = "By the beginning of a slug."
    ordering = ("slug",)
