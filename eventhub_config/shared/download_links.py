"""Links to private files that work for five minutes without signing in: for a browser, which sends no token by itself.

A link names a file and the person whom it was made for. Whether there is such a file, and whether that person may have
it, is asked again when it is used. An app lists what it has as ``DOWNLOADS`` in its ``downloads.py``.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.contrib.auth import get_user_model
from django.core.signing import BadSignature, Signer
from django.urls import reverse
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from eventhub_config.shared.documents.serving import (
    DISPOSITION,
    PDF_RESPONSES,
    FileRenderer,
    PrivateFile,
    count_document,
    file_response,
)
from eventhub_config.shared.errors import DomainError, NotVisible
from eventhub_config.shared.filtering import refuse_unknown_parameters
from eventhub_config.shared.permissions import Anyone
from eventhub_config.shared.registry import contributions
from eventhub_config.shared.views import ApiViewSet

LIFETIME = timedelta(minutes=5)


class DownloadLinkExpired(DomainError):
    code = "download_link_expired"
    status = 410
    title = "This link has expired. Ask for a new one."


class DownloadGone(DomainError):
    code = "download_gone"
    status = 410
    title = "What this link led to is not there any more."


@dataclass(frozen=True)
class Download:
    """One kind of file. ``make(object_id, user, now)`` returns it, or refuses as an API view would."""

    kind: str
    make: Callable[[int, Any, datetime], PrivateFile]


class DownloadLinkSerializer(serializers.Serializer[Any]):
    """An address that works without signing in, for whoever has it. Use it at once and show it to nobody."""

    url = serializers.URLField()
    expires_at = serializers.DateTimeField()


def download_link(request: Request, *, kind: str, object_id: int, now: datetime) -> dict[str, Any]:
    """Return what ``DownloadLinkSerializer`` describes, for the person who is signed in."""
    expires_at = (now + LIFETIME).replace(microsecond=0)
    token = _signer().sign_object(
        {"kind": kind, "id": object_id, "user": request.user.pk, "until": int(expires_at.timestamp())}
    )
    # In the query, which our logs leave out.
    url = request.build_absolute_uri(f"{reverse('downloads')}?token={token}")
    return DownloadLinkSerializer({"url": url, "expires_at": expires_at}).data


def file_behind(token: str, now: datetime) -> PrivateFile:
    """Return the file that a link's token names.

    :raises NotVisible: the token is not ours, or its person may not have the file any more.
    :raises DownloadLinkExpired: its time is over.
    :raises DownloadGone: there is no such file any more; why is told in its own words.
    """
    try:
        named = _signer().unsign_object(token)
    except (BadSignature, ValueError, UnicodeError) as error:
        raise NotVisible from error
    if now >= datetime.fromtimestamp(named["until"], UTC):
        raise DownloadLinkExpired
    user = get_user_model().objects.filter(pk=named["user"], is_active=True).first()
    downloads = {each.kind: each for _app, listed in contributions("downloads", "DOWNLOADS") for each in listed}
    if user is None or named["kind"] not in downloads:
        raise NotVisible
    count_document(user.pk)
    try:
        return downloads[named["kind"]].make(named["id"], user, now)
    except NotVisible:
        raise
    except DomainError as refusal:
        raise DownloadGone(refusal.detail) from refusal


def _signer() -> Signer:
    return Signer(salt="eventhub.download_links", sep=".")


class DownloadViewSet(ApiViewSet):
    """No sign-in is looked at: the token says whom the link was made for."""

    access = {"download": Anyone}
    problems = {"download": (DownloadLinkExpired, DownloadGone)}
    lists = frozenset({"download"})
    authentication_classes = ()
    renderer_classes = (FileRenderer,)
    filter_backends = ()
    pagination_class = None

    @extend_schema(
        operation_id="downloads_read",
        tags=["downloads"],
        summary="Download a file by a link",
        parameters=[OpenApiParameter("token", str, required=True, description="Of a `download_link`."), DISPOSITION],
        responses=PDF_RESPONSES,
    )
    def download(self, request: Request) -> Response:
        refuse_unknown_parameters(request, known={"token"})
        return file_response(file_behind(request.query_params.get("token", ""), self.now))
