"""``/media/<key>/<size>.webp``: renditions for everybody, from the storage.

A rendition never changes and is kept by browsers for good. Until the worker has made it, the address answers with the
stored picture itself, which nobody keeps.
"""

from typing import Any

from django.core.files.base import File
from django.db import Error as DatabaseProblem
from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseBase
from django.urls import re_path
from django.utils.http import parse_etags
from django.views.decorators.csrf import csrf_exempt

from eventhub_config.shared.errors import (
    DatabaseUnavailable,
    DomainError,
    MethodNotAllowed,
    NotVisible,
    database_was_lost,
    plain_problem,
)
from eventhub_config.shared.images import files
from eventhub_config.shared.models import StoredImage

FOREVER = "public, max-age=31536000, immutable"
ASK_AGAIN = "no-cache"
HARMLESS = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    # Pages and scripts of any front end may show and read them; there are no cookies to abuse.
    "Cross-Origin-Resource-Policy": "cross-origin",
    "Access-Control-Allow-Origin": "*",
}


@csrf_exempt  # a POST is told that it is not for here, whatever its cookies
def serve_image(request: HttpRequest, key: str, size: str) -> HttpResponseBase:
    try:
        return _served(request, key, size)
    except DomainError as refusal:
        answer = plain_problem(refusal)
    except DatabaseProblem as error:
        if not database_was_lost(error):
            raise
        answer = plain_problem(DatabaseUnavailable(retry_after=2))
    answer["Cache-Control"] = "no-store"
    return answer


urlpatterns = [
    # The alphabet of keys, see shared/references.py: nothing else leads to the storage.
    re_path(rf"^media/(?P<key>[0-9A-HJKMNP-TV-Z]{{26}})/(?P<size>{'|'.join(files.SIZES)})\.webp\Z", serve_image)
]


def _served(request: HttpRequest, key: str, size: str) -> HttpResponseBase:
    if request.method not in {"GET", "HEAD"}:
        raise MethodNotAllowed(headers={"Allow": "GET, HEAD"})
    image = StoredImage.objects.filter(pk=key, discarded_at=None).only("rendered_at").first()
    if image is None:
        raise NotVisible
    name = size if image.rendered_at else files.MASTER
    headers = {**HARMLESS, "ETag": f'"{key}-{name}"', "Cache-Control": FOREVER if image.rendered_at else ASK_AGAIN}
    if {headers["ETag"], "*"} & _known(request):
        return HttpResponse(status=304, headers=headers)
    file = _opened(key, name)
    if request.method == "HEAD":
        with file:
            return HttpResponse(content_type="image/webp", headers={**headers, "Content-Length": str(file.size)})
    return FileResponse(file, content_type="image/webp", headers=headers)


def _known(request: HttpRequest) -> set[str]:
    return {tag.removeprefix("W/") for tag in parse_etags(request.headers.get("If-None-Match", ""))}


def _opened(key: str, name: str) -> "File[Any]":
    try:
        return files.open_file(key, name)
    except FileNotFoundError as error:  # removed this moment, or lost: check_integrity tells which
        raise NotVisible from error
