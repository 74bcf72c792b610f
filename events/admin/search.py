"""What events are found by, for administrators: to look at, never to change."""

from django.contrib import admin

from eventhub_config.shared.scoped_admin import ScopedAdmin
from events.models import EventSearch, SearchWord


@admin.register(EventSearch)
class EventSearchAdmin(ScopedAdmin):
    list_display = ("event", "stale_since")
    list_select_related = ("event",)
    search_fields = ("=event__pk",)
    search_help_text = "By the number of the event."
    ordering = ("-pk",)


@admin.register(SearchWord)
class SearchWordAdmin(ScopedAdmin):
    list_display = ("word",)
    search_fields = ("word__startswith",)
    search_help_text = "By the beginning of a word, in small letters without accents."
    ordering = ("word",)
