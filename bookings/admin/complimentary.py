"""The page from which organizers give seats away: to one person, or to everybody on a list that is looked at first."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone

from bookings.gift_files import COLUMNS, FileRefused, RowProblem, content_of, import_file, preview, text_of
from bookings.services import give_booking
from bookings.services.complimentary import Gift, type_of
from eventhub_config.shared.admin_forms import explain
from eventhub_config.shared.errors import DomainError
from eventhub_config.shared.scoped_admin import ScopedAdmin
from eventhub_config.shared.validators import validate_single_line
from events.admin import EventAdmin
from events.models import Event, TicketType
from events.services import read_offer
from users.authentication import signed_in
from users.models import EMAIL_MAX_LENGTH, validate_email_key

PAGE = "bookings_booking_complimentary"


class GiftForm(forms.Form):
    required_css_class = "required"

    email = forms.EmailField(label="E-mail address", max_length=EMAIL_MAX_LENGTH, validators=[validate_email_key])
    name = forms.CharField(max_length=160, required=False, validators=[validate_single_line])
    ticket_type = forms.ModelChoiceField(queryset=TicketType.objects.none(), empty_label=None)
    quantity = forms.IntegerField(min_value=1, max_value=1000, initial=1, label="Seats")
    reason = forms.CharField(
        max_length=255, validators=[validate_single_line], help_text="Why it costs nothing. Kept with the booking."
    )

    def __init__(self, *args: Any, event: Event, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["ticket_type"]
        field.queryset = TicketType.objects.in_order().filter(event=event)  # type: ignore[attr-defined]
        field.label_from_instance = lambda kind: kind.name  # type: ignore[attr-defined]

    def as_gift(self) -> Gift:
        values = dict(self.cleaned_data)
        return Gift(**values | {"ticket_type": values["ticket_type"].pk})


class ListForm(forms.Form):
    required_css_class = "required"

    file = forms.FileField(label="CSV file", help_text=f"In UTF-8, with the columns {', '.join(COLUMNS)}.")
    reason = forms.CharField(
        max_length=255,
        required=False,
        validators=[validate_single_line],
        help_text="For lines that have none of their own.",
    )


class ListSeenForm(forms.Form):
    """What was looked at, sent once more to be done."""

    csv = forms.CharField(widget=forms.HiddenInput, strip=False)
    reason = forms.CharField(required=False, widget=forms.HiddenInput)


class ComplimentaryPage(ScopedAdmin):
    """Adds the page to the admin of bookings."""

    def get_urls(self) -> list[Any]:
        page = path("complimentary/<int:event_id>/", self.admin_site.admin_view(self.complimentary_view), name=PAGE)
        return [page, *super().get_urls()]

    def complimentary_view(self, request: HttpRequest, event_id: int) -> HttpResponseBase:
        events = self.admin_site.get_model_admin(Event).get_queryset(request)
        event = events.filter(pk=event_id).first() if event_id < 2**63 else None
        if event is None:
            # The answer that Django's own pages give.
            return self._get_obj_does_not_exist_redirect(request, Event._meta, str(event_id))  # type: ignore[attr-defined]
        asked = request.POST.get("do") if request.method == "POST" else None
        if asked == "give":
            return self._give(request, event)
        if asked == "look":
            return self._look(request, event)
        if asked == "import":
            return self._import(request, event)
        return self._page(request, event)

    def _give(self, request: HttpRequest, event: Event) -> HttpResponseBase:
        form = GiftForm(request.POST, event=event)
        if form.is_valid():
            try:
                gift, now = form.as_gift(), timezone.now()
                booking = give_booking(event_id=event.pk, gift=gift, actor=signed_in(request), now=now)
            except DomainError as error:
                form.add_error(None, explain(error))
            else:
                done = f"{booking.holder_name} has booking {booking.reference} and is told by mail."
                self.message_user(request, done, messages.SUCCESS)
                return HttpResponseRedirect(request.path)
        return self._page(request, event, gift_form=form)

    def _look(self, request: HttpRequest, event: Event) -> HttpResponseBase:
        form = ListForm(request.POST, request.FILES)
        if not form.is_valid():
            return self._page(request, event, list_form=form)
        reason, actor, now = form.cleaned_data["reason"], signed_in(request), timezone.now()
        try:
            text = text_of(content_of(form.cleaned_data["file"]))
            found = preview(event=event, content=text, reason=reason, actor=actor, now=now)
        except DomainError as error:
            form.add_error(None, explain(error))
            return self._page(request, event, list_form=form)
        seen, offer = ListSeenForm(initial={"csv": text, "reason": reason}), read_offer(event.pk)
        rows = [(line, gift, getattr(type_of(offer, gift), "name", "")) for line, gift in found.file.numbered()]
        return self._page(
            request, event, list_form=form, found=found, problems=found.problems, seen_form=seen, rows=rows
        )

    def _import(self, request: HttpRequest, event: Event) -> HttpResponseBase:
        form = ListSeenForm(request.POST)
        if not form.is_valid():
            return self._page(request, event)
        values, actor, now = form.cleaned_data, signed_in(request), timezone.now()
        try:
            done = import_file(event=event, content=values["csv"], reason=values["reason"], actor=actor, now=now)
        except FileRefused as error:
            self.message_user(request, explain(DomainError(error.title)), messages.ERROR)
            return self._page(request, event, problems=error.problems)
        except DomainError as error:
            self.message_user(request, explain(error), messages.ERROR)
            return self._page(request, event)
        told = f"{len(done.bookings)} bookings with {done.seats} seats were made. Everybody is told by mail."
        self.message_user(request, told, messages.SUCCESS)
        return HttpResponseRedirect(request.path)

    def _page(
        self,
        request: HttpRequest,
        event: Event,
        *,
        gift_form: GiftForm | None = None,
        list_form: ListForm | None = None,
        problems: Sequence[RowProblem] = (),
        **more: Any,
    ) -> HttpResponseBase:
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": "Complimentary bookings",
            "event": event,
            "gift_form": gift_form or GiftForm(event=event),
            "list_form": list_form or ListForm(),
            "problems": problems,
            **more,
        }
        return TemplateResponse(request, "admin/complimentary.html", context)


def complimentary_link(event: Event) -> tuple[str, str] | None:
    """Return the link to the page from that of an event of which seats can be given away."""
    if event.status not in {Event.Status.PUBLISHED, Event.Status.ONGOING}:
        return None
    return "Complimentary bookings", reverse(f"admin:{PAGE}", args=[event.pk])


EventAdmin.row_links.append(complimentary_link)
