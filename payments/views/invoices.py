"""Invoices and credit notes."""

from django.db.models import QuerySet
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from eventhub_config.shared.conditional import IF_NONE_MATCH, NOT_MODIFIED, is_known
from eventhub_config.shared.documents.serving import (
    DISPOSITION,
    PDF_RESPONSES,
    PRIVATE,
    CsvRenderer,
    PdfRenderer,
    count_document,
    file_response,
)
from eventhub_config.shared.download_links import DownloadLinkSerializer, download_link
from eventhub_config.shared.permissions import OrganizerOrAdmin, SignedIn
from eventhub_config.shared.spreadsheets import CSV
from events.services.editing import NotOwner
from payments.downloads import INVOICE
from payments.filters import InvoiceExportFilter, InvoiceFilter
from payments.invoice_files import TooManyRows, invoice_file
from payments.models import Invoice
from payments.serializers import InvoiceSerializer
from payments.services import mark_as_sent
from payments.services.invoice_papers import file_of
from payments.views.money import MoneyViewSet


@extend_schema_view(
    list=extend_schema(summary="List invoices and credit notes"), retrieve=extend_schema(summary="Read an invoice")
)
class InvoiceViewSet(MoneyViewSet):
    access = {
        **MoneyViewSet.access,
        "pdf": SignedIn,
        "download_link": SignedIn,
        "mark_as_sent": OrganizerOrAdmin,
        "export": SignedIn,
    }
    problems = {"mark_as_sent": (NotOwner,), "export": (TooManyRows,)}
    lists = frozenset({"list", "export"})
    queryset = Invoice.objects.none()
    serializer_class = InvoiceSerializer
    filterset_class = InvoiceFilter

    def get_queryset(self) -> QuerySet[Invoice]:
        return Invoice.objects.visible_to(self.caller).order_by("-issued_at", "-pk")

    @extend_schema(
        summary="An invoice as PDF",
        description="Byte for byte as it was issued; its SHA-256 is `pdf_sha256`.",
        parameters=[DISPOSITION, IF_NONE_MATCH],
        responses={**PDF_RESPONSES, 304: NOT_MODIFIED},
    )
    @action(detail=True, renderer_classes=(PdfRenderer,), filterset_class=None, pagination_class=None)
    def pdf(self, request: Request, pk: str) -> Response:
        invoice: Invoice = self.get_object()
        tag = f'"{invoice.pdf_sha256}"'
        if invoice.pdf_sha256 and is_known(request, tag):
            return Response(status=304, headers={**PRIVATE, "ETag": tag})
        if not invoice.pdf_sha256:  # from before there were documents: it has to be drawn
            count_document(self.caller.pk)
        response = file_response(file_of(invoice))
        response["ETag"] = f'"{Invoice.objects.values_list("pdf_sha256", flat=True).get(pk=invoice.pk)}"'
        return response

    @extend_schema(
        summary="Make a link to an invoice",
        description="An address that works without signing in, for five minutes and for whoever has it.",
        request=None,
        responses=DownloadLinkSerializer,
    )
    @action(detail=True, methods=["post"], filterset_class=None, pagination_class=None)
    def download_link(self, request: Request, pk: str) -> Response:
        invoice: Invoice = self.get_object()
        return Response(download_link(request, kind=INVOICE, object_id=invoice.pk, now=self.now))

    @extend_schema(
        summary="Note that an invoice was sent",
        description="By those who run the event. `sent_at` keeps the first moment; a mail with the PDF sets it too.",
        request=None,
        responses=InvoiceSerializer,
    )
    @action(detail=True, methods=["post"], filterset_class=None, pagination_class=None)
    def mark_as_sent(self, request: Request, pk: str) -> Response:
        invoice = mark_as_sent(invoice_id=self.get_object().pk, actor=self.caller, now=self.now)
        return Response(self.get_serializer(invoice).data)

    @extend_schema(
        summary="Invoices and credit notes for bookkeeping",
        description=(
            "CSV in UTF-8, a line each, in the order in which they were issued. What a spreadsheet would take for a "
            "formula begins with `'`; amounts are plain numbers, negative on credit notes."
        ),
        parameters=[DISPOSITION],
        filters=True,  # though it is no list with pages
        responses={(200, CSV): OpenApiTypes.STR},
    )
    @action(detail=False, renderer_classes=(CsvRenderer,), filterset_class=InvoiceExportFilter, pagination_class=None)
    def export(self, request: Request) -> Response:
        count_document(self.caller.pk)
        return file_response(invoice_file(self.filter_queryset(self.get_queryset())))
