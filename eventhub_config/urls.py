"""Every address of Event Hub. Apps are named as strings; each registers its own resources."""

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import include, path, re_path
from django.views.decorators.csrf import csrf_exempt
from drf_spectacular.views import SpectacularRedocView, SpectacularSwaggerView

from eventhub_config.document import DocumentView
from eventhub_config.meta import MetaView
from eventhub_config.shared.download_links import DownloadViewSet
from eventhub_config.shared.errors import page_not_found
from eventhub_config.shared.health import healthz, readyz
from eventhub_config.shared.images.serving import urlpatterns as media


def to_docs(request: HttpRequest) -> HttpResponse:
    return redirect("swagger")


urlpatterns = [
    path("", to_docs),
    path("admin/", admin.site.urls),
    path("healthz", healthz),
    path("readyz", readyz),
    path("api/", to_docs),
    path("api/schema/", DocumentView.as_view(), name="schema"),
    path("api/docs/", SpectacularSwaggerView.as_view(url_name="schema"), name="swagger"),
    path(
        "api/redoc/",
        SpectacularRedocView.as_view(url_name="schema", template_name="shared/redoc.html"),
        name="redoc",
    ),
    path("api/meta/", MetaView.as_view({"get": "retrieve"}), name="meta"),
    path("api/downloads/", DownloadViewSet.as_view({"get": "download"}), name="downloads"),
    path("account/", include("users.page_urls")),
    path("mock-gateway/", include("payments.page_urls")),
    path("api/", include("users.urls")),
    path("api/", include("events.urls")),
    path("api/", include("bookings.urls")),
    path("api/", include("payments.urls")),
    path("api/", include("notifications.urls")),
    *media,
    # Not left to handler404: with DEBUG, Django would answer with a page of its own.
    re_path("", csrf_exempt(page_not_found)),  # exempt: a POST to nowhere is not found, whatever its cookies
]

handler400 = "eventhub_config.shared.errors.bad_request"
handler403 = "eventhub_config.shared.errors.permission_denied"
handler404 = "eventhub_config.shared.errors.page_not_found"
handler500 = "eventhub_config.shared.errors.server_error"

admin.site.site_header = "Event Hub"
admin.site.site_title = "Event Hub"
admin.site.index_title = "Events, bookings and money"
