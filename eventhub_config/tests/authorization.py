"""Who may do what: one row per operation and kind of object, with the expected status for each identity.

``test_authorization.py`` holds it against the OpenAPI document: an operation without a row fails, and a row without an
operation. To add one: name the operation id and the object of ``world.py`` that it is asked about, and fill in the
columns from "Who may do what" in ``docs/api.md``; give its body in ``BODIES`` if it has one.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from eventhub_config.tests.pictures import picture
from eventhub_config.tests.world import World
from users.models import AccountLink
from users.services.links import make_link, token_of
from users.tests.factories import PASSWORD


class Row(NamedTuple):
    """Expected statuses. ``about`` names the object whose id is asked for, or the case; empty where there is none."""

    operation_id: str
    about: str
    anonymous: int
    owner: int
    stranger: int
    organizer: int
    other_organizer: int
    pending_organizer: int
    admin: int
    deactivated: int

    @property
    def name(self) -> str:
        return f"{self.operation_id}-{self.about}".strip("-")


# The organizer runs all events; the owner made all bookings. A 403 says what one's role may not do, a 404 hides what
# one may not know about. A deactivated account's token is refused even where anyone may read.
# fmt: off
TABLE = [
    #                                                          anon own  str  org  oth  pen  adm  dea
    Row("auth_token", "good",                                  200, 200, 200, 200, 200, 200, 200, 200),
    Row("auth_token", "wrong",                                 401, 401, 401, 401, 401, 401, 401, 401),
    Row("auth_token", "deactivated",                           401, 401, 401, 401, 401, 401, 401, 401),
    Row("auth_token_refresh", "good",                          200, 200, 200, 200, 200, 200, 200, 200),
    Row("auth_token_refresh", "deactivated",                   401, 401, 401, 401, 401, 401, 401, 401),
    Row("auth_token_verify", "good",                           200, 200, 200, 200, 200, 200, 200, 200),
    Row("auth_token_verify", "deactivated",                    401, 401, 401, 401, 401, 401, 401, 401),
    Row("auth_logout", "",                                     401, 204, 204, 204, 204, 204, 204, 401),

    Row("auth_password_reset", "",                             202, 202, 202, 202, 202, 202, 202, 202),
    Row("auth_password_reset_confirm", "good",                 204, 204, 204, 204, 204, 204, 204, 204),
    Row("auth_password_reset_confirm", "wrong",                400, 400, 400, 400, 400, 400, 400, 400),
    Row("auth_password_reset_confirm", "deactivated",          400, 400, 400, 400, 400, 400, 400, 400),
    Row("auth_email_verify", "good",                           200, 200, 200, 200, 200, 200, 200, 200),
    Row("auth_email_verify", "deactivated",                    400, 400, 400, 400, 400, 400, 400, 400),
    Row("auth_email_confirm", "good",                          200, 200, 200, 200, 200, 200, 200, 200),
    Row("auth_email_confirm", "deactivated",                   400, 400, 400, 400, 400, 400, 400, 400),

    Row("users_create", "",                                    201, 201, 201, 201, 201, 201, 201, 401),
    Row("users_list", "",                                      401, 403, 403, 403, 403, 403, 200, 401),
    Row("users_retrieve", "owner",                             401, 403, 403, 403, 403, 403, 200, 401),
    Row("users_partial_update", "owner",                       401, 403, 403, 403, 403, 403, 200, 401),
    Row("users_me_retrieve", "",                               401, 200, 200, 200, 200, 200, 200, 401),
    Row("users_me_partial_update", "",                         401, 200, 200, 200, 200, 200, 200, 401),
    Row("users_me_password", "",                               401, 200, 200, 200, 200, 200, 200, 401),
    Row("users_me_email", "",                                  401, 202, 202, 202, 202, 202, 202, 401),
    Row("users_me_email_cancel", "",                           401, 204, 204, 204, 204, 204, 204, 401),
    Row("users_me_email_verify", "",                           401, 202, 202, 202, 202, 202, 202, 401),
    Row("users_me_avatar_create", "",                          401, 200, 200, 200, 200, 200, 200, 401),
    Row("users_me_avatar_destroy", "",                         401, 200, 200, 200, 200, 200, 200, 401),
    Row("organizers_retrieve", "organizer",                    200, 200, 200, 200, 200, 200, 200, 401),
    Row("organizers_retrieve", "pending_organizer",            404, 404, 404, 404, 404, 404, 404, 401),
    Row("organizers_retrieve", "owner",                        404, 404, 404, 404, 404, 404, 404, 401),

    Row("events_list", "",                                     200, 200, 200, 200, 200, 200, 200, 401),
    Row("events_create", "",                                   401, 403, 403, 201, 201, 201, 201, 401),
    Row("events_retrieve", "event",                            200, 200, 200, 200, 200, 200, 200, 401),
    Row("events_retrieve", "cancelled_event",                  200, 200, 200, 200, 200, 200, 200, 401),
    Row("events_retrieve", "draft",                            404, 404, 404, 200, 404, 404, 200, 401),
    Row("events_availability", "event",                        200, 200, 200, 200, 200, 200, 200, 401),
    Row("events_availability", "draft",                        404, 404, 404, 200, 404, 404, 200, 401),
    Row("events_eligibility", "event",                         200, 200, 200, 200, 200, 200, 200, 401),
    Row("events_eligibility", "cancelled_event",               200, 200, 200, 200, 200, 200, 200, 401),
    Row("events_eligibility", "draft",                         404, 404, 404, 200, 404, 404, 200, 401),
    Row("events_attendees", "event",                           401, 403, 403, 200, 403, 403, 200, 401),
    Row("events_attendees", "draft",                           401, 403, 403, 200, 404, 404, 200, 401),
    Row("events_attendees_csv", "event",                       401, 403, 403, 200, 403, 403, 200, 401),
    Row("events_attendees_csv", "draft",                       401, 403, 403, 200, 404, 404, 200, 401),
    Row("events_statistics", "event",                          401, 403, 403, 200, 403, 403, 200, 401),
    Row("events_statistics", "draft",                          401, 403, 403, 200, 404, 404, 200, 401),
    Row("events_partial_update", "event",                      401, 403, 403, 200, 403, 403, 200, 401),
    Row("events_partial_update", "cancelled_event",            401, 403, 403, 409, 403, 403, 409, 401),
    Row("events_partial_update", "draft",                      401, 403, 403, 200, 404, 404, 200, 401),
    Row("events_cover_image_create", "event",                  401, 403, 403, 200, 403, 403, 200, 401),
    Row("events_cover_image_create", "cancelled_event",        401, 403, 403, 409, 403, 403, 409, 401),
    Row("events_cover_image_create", "draft",                  401, 403, 403, 200, 404, 404, 200, 401),
    Row("events_cover_image_destroy", "event",                 401, 403, 403, 200, 403, 403, 200, 401),
    Row("events_cover_image_destroy", "cancelled_event",       401, 403, 403, 409, 403, 403, 409, 401),
    Row("events_cover_image_destroy", "draft",                 401, 403, 403, 200, 404, 404, 200, 401),
    Row("events_destroy", "event",                             401, 403, 403, 409, 403, 403, 409, 401),
    Row("events_destroy", "draft",                             401, 403, 403, 204, 404, 404, 204, 401),
    Row("events_publish", "event",                             401, 403, 403, 409, 403, 403, 409, 401),
    Row("events_publish", "draft",                             401, 403, 403, 200, 404, 404, 200, 401),
    Row("events_publish", "pending_draft",                     401, 403, 403, 404, 404, 403, 403, 401),
    Row("events_withdraw", "free_event",                       401, 403, 403, 200, 403, 403, 200, 401),
    Row("events_withdraw", "draft",                            401, 403, 403, 409, 404, 404, 409, 401),
    Row("events_cancel", "event",                              401, 403, 403, 200, 403, 403, 200, 401),
    Row("events_cancel", "cancelled_event",                    401, 403, 403, 409, 403, 403, 409, 401),
    Row("events_cancel", "draft",                              401, 403, 403, 200, 404, 404, 200, 401),

    Row("events_calendar", "event",                            200, 200, 200, 200, 200, 200, 200, 401),
    Row("events_calendar", "cancelled_event",                  200, 200, 200, 200, 200, 200, 200, 401),
    Row("events_calendar", "draft",                            404, 404, 404, 200, 404, 404, 200, 401),
    Row("organizers_calendar", "organizer",                    200, 200, 200, 200, 200, 200, 200, 401),
    Row("organizers_calendar", "pending_organizer",            404, 404, 404, 404, 404, 404, 404, 401),
    Row("organizers_calendar", "owner",                        404, 404, 404, 404, 404, 404, 404, 401),
    Row("events_duplicate", "event",                           401, 403, 403, 201, 403, 403, 201, 401),
    Row("events_duplicate", "cancelled_event",                 401, 403, 403, 201, 403, 403, 201, 401),
    Row("events_duplicate", "draft",                           401, 403, 403, 201, 404, 404, 201, 401),
    Row("events_sessions_list", "event",                       200, 200, 200, 200, 200, 200, 200, 401),
    Row("events_sessions_list", "draft",                       404, 404, 404, 200, 404, 404, 200, 401),
    Row("sessions_list", "",                                   200, 200, 200, 200, 200, 200, 200, 401),
    Row("sessions_create", "event",                            401, 403, 403, 201, 403, 403, 201, 401),
    Row("sessions_create", "cancelled_event",                  401, 403, 403, 409, 403, 403, 409, 401),
    Row("sessions_create", "draft",                            401, 403, 403, 201, 400, 400, 201, 401),
    Row("sessions_retrieve", "session",                        200, 200, 200, 200, 200, 200, 200, 401),
    Row("sessions_retrieve", "draft_session",                  404, 404, 404, 200, 404, 404, 200, 401),
    Row("sessions_partial_update", "session",                  401, 403, 403, 200, 403, 403, 200, 401),
    Row("sessions_partial_update", "draft_session",            401, 403, 403, 200, 404, 404, 200, 401),
    Row("sessions_destroy", "session",                         401, 403, 403, 204, 403, 403, 204, 401),
    Row("sessions_destroy", "draft_session",                   401, 403, 403, 204, 404, 404, 204, 401),

    Row("ticket_types_list", "",                               200, 200, 200, 200, 200, 200, 200, 401),
    Row("ticket_types_create", "event",                        401, 403, 403, 201, 403, 403, 201, 401),
    Row("ticket_types_create", "draft",                        401, 403, 403, 201, 400, 400, 201, 401),
    Row("ticket_types_retrieve", "ticket_type",                200, 200, 200, 200, 200, 200, 200, 401),
    Row("ticket_types_retrieve", "draft_ticket_type",          404, 404, 404, 200, 404, 404, 200, 401),
    Row("ticket_types_partial_update", "ticket_type",          401, 403, 403, 200, 403, 403, 200, 401),
    Row("ticket_types_partial_update", "draft_ticket_type",    401, 403, 403, 200, 404, 404, 200, 401),
    Row("ticket_types_destroy", "ticket_type",                 401, 403, 403, 409, 403, 403, 409, 401),
    Row("ticket_types_destroy", "draft_ticket_type",           401, 403, 403, 204, 404, 404, 204, 401),

    Row("bookings_list", "",                                   401, 200, 200, 200, 200, 200, 200, 401),
    Row("bookings_create", "free_event",                       401, 201, 201, 201, 201, 201, 201, 401),
    Row("bookings_create", "event",                            401, 409, 201, 201, 201, 201, 201, 401),
    Row("bookings_create", "cancelled_event",                  401, 409, 409, 409, 409, 409, 409, 401),
    Row("bookings_create", "draft",                            401, 400, 400, 409, 400, 400, 409, 401),
    Row("bookings_retrieve", "booking",                        401, 200, 404, 200, 404, 404, 200, 401),
    Row("bookings_cancel", "booking",                          401, 200, 404, 200, 404, 404, 200, 401),
    Row("bookings_cancel", "cancelled_booking",                401, 409, 404, 409, 404, 404, 409, 401),
    Row("bookings_cancellation", "booking",                    401, 200, 404, 200, 404, 404, 200, 401),
    Row("bookings_partial_update", "booking",                  401, 200, 404, 403, 404, 404, 200, 401),
    Row("bookings_partial_update", "cancelled_booking",        401, 409, 404, 403, 404, 404, 409, 401),
    Row("bookings_confirm", "unpaid_booking",                  401, 403, 403, 200, 404, 404, 200, 401),
    Row("bookings_confirm", "booking",                         401, 403, 403, 409, 404, 404, 409, 401),
    Row("events_complimentary", "event",                       401, 403, 403, 201, 403, 403, 201, 401),
    Row("events_complimentary", "draft",                       401, 403, 403, 409, 404, 404, 409, 401),
    Row("events_complimentary_import", "event",                401, 403, 403, 200, 403, 403, 200, 401),
    Row("events_complimentary_import", "draft",                401, 403, 403, 409, 404, 404, 409, 401),
    Row("bookings_no_show", "booking",                         401, 403, 403, 409, 404, 404, 409, 401),
    Row("bookings_undo_no_show", "booking",                    401, 403, 403, 409, 404, 404, 409, 401),

    Row("bookings_tickets_pdf", "booking",                     401, 200, 404, 200, 404, 404, 200, 401),
    Row("bookings_tickets_pdf", "cancelled_booking",           401, 409, 404, 409, 404, 404, 409, 401),
    Row("bookings_download_link", "booking",                   401, 200, 404, 200, 404, 404, 200, 401),
    Row("bookings_calendar", "booking",                        401, 200, 404, 200, 404, 404, 200, 401),
    Row("bookings_resend_confirmation", "booking",             401, 200, 404, 200, 404, 404, 200, 401),
    Row("tickets_pdf", "ticket",                               401, 200, 404, 200, 404, 404, 200, 401),
    Row("tickets_download_link", "ticket",                     401, 200, 404, 200, 404, 404, 200, 401),
    # Without a token, there is nothing for anybody.
    Row("downloads_read", "",                                  404, 404, 404, 404, 404, 404, 404, 404),

    Row("tickets_list", "",                                    401, 200, 200, 200, 200, 200, 200, 401),
    Row("tickets_retrieve", "ticket",                          401, 200, 404, 200, 404, 404, 200, 401),
    Row("tickets_check_in", "ticket",                          401, 403, 403, 200, 404, 404, 200, 401),
    Row("tickets_undo_check_in", "ticket",                     401, 403, 403, 409, 404, 404, 409, 401),
    Row("events_check_in", "event",                            401, 403, 403, 200, 403, 403, 200, 401),
    Row("events_check_in", "cancelled_event",                  401, 403, 403, 409, 403, 403, 409, 401),
    Row("events_check_in", "draft",                            401, 403, 403, 409, 404, 404, 409, 401),
    Row("events_scans", "event",                               401, 403, 403, 200, 403, 403, 200, 401),
    Row("events_scans", "draft",                               401, 403, 403, 200, 404, 404, 200, 401),
    Row("events_door", "event",                                401, 403, 403, 200, 403, 403, 200, 401),
    Row("events_door", "draft",                                401, 403, 403, 200, 404, 404, 200, 401),
    Row("events_close_doors", "event",                         401, 403, 403, 409, 403, 403, 409, 401),
    Row("events_close_doors", "draft",                         401, 403, 403, 409, 404, 404, 409, 401),

    Row("waitlist_list", "",                                   401, 200, 200, 200, 200, 200, 200, 401),
    Row("waitlist_create", "full_event",                       401, 409, 201, 201, 201, 201, 201, 401),
    Row("waitlist_create", "free_event",                       401, 409, 409, 409, 409, 409, 409, 401),
    Row("waitlist_create", "draft",                            401, 400, 400, 409, 400, 400, 409, 401),
    Row("waitlist_retrieve", "place",                          401, 200, 404, 200, 404, 404, 200, 401),
    Row("waitlist_accept", "offer",                            401, 200, 404, 403, 404, 404, 403, 401),
    Row("waitlist_accept", "place",                            401, 409, 404, 403, 404, 404, 403, 401),
    Row("waitlist_decline", "offer",                           401, 200, 404, 403, 404, 404, 403, 401),
    Row("waitlist_leave", "place",                             401, 200, 404, 200, 404, 404, 200, 401),
    Row("events_offer_next", "full_event",                     401, 403, 403, 200, 403, 403, 200, 401),
    Row("events_offer_next", "free_event",                     401, 403, 403, 409, 403, 403, 409, 401),
    Row("events_offer_next", "draft",                          401, 403, 403, 409, 404, 404, 409, 401),

    Row("payments_list", "",                                   401, 200, 200, 200, 200, 200, 200, 401),
    Row("payments_create", "unpaid_booking",                   401, 202, 400, 403, 400, 400, 403, 401),
    Row("payments_create", "booking",                          401, 409, 400, 403, 400, 400, 403, 401),
    Row("payments_retrieve", "payment",                        401, 200, 404, 200, 404, 404, 200, 401),
    Row("bookings_record_payment", "unpaid_booking",           401, 403, 403, 201, 404, 404, 201, 401),
    Row("bookings_record_payment", "booking",                  401, 403, 403, 409, 404, 404, 409, 401),
    Row("payments_refund", "payment",                          401, 403, 403, 201, 404, 404, 201, 401),
    # A token opens nothing here, and closes nothing: only a gateway's signature counts.
    Row("payments_callbacks", "",                              400, 400, 400, 400, 400, 400, 400, 400),
    Row("refunds_list", "",                                    401, 200, 200, 200, 200, 200, 200, 401),
    Row("refunds_retrieve", "refund",                          401, 200, 404, 200, 404, 404, 200, 401),
    Row("refunds_retry", "refund",                             401, 403, 403, 409, 404, 404, 409, 401),
    Row("refunds_mark_as_paid", "refund",                      401, 403, 403, 409, 404, 404, 409, 401),
    Row("invoices_list", "",                                   401, 200, 200, 200, 200, 200, 200, 401),
    Row("invoices_retrieve", "invoice",                        401, 200, 404, 200, 404, 404, 200, 401),
    Row("invoices_pdf", "invoice",                             401, 200, 404, 200, 404, 404, 200, 401),
    Row("invoices_download_link", "invoice",                   401, 200, 404, 200, 404, 404, 200, 401),
    Row("invoices_mark_as_sent", "invoice",                    401, 403, 403, 200, 404, 404, 200, 401),
    Row("invoices_export", "",                                 401, 200, 200, 200, 200, 200, 200, 401),

    Row("notifications_list", "",                              401, 200, 200, 200, 200, 200, 200, 401),
    Row("notifications_unread_count", "",                      401, 200, 200, 200, 200, 200, 200, 401),
    Row("notifications_mark_all_as_read", "",                  401, 200, 200, 200, 200, 200, 200, 401),
    Row("notifications_retrieve", "notification",              401, 200, 404, 404, 404, 404, 404, 401),
    Row("notifications_mark_as_read", "notification",          401, 200, 404, 404, 404, 404, 404, 401),

    Row("meta_retrieve", "",                                   200, 200, 200, 200, 200, 200, 200, 401),
]
# fmt: on


def _credentials(world: World, about: str) -> dict[str, str]:
    person = world.people["deactivated" if about == "deactivated" else "owner"]
    return {"username": person.username, "password": "wrong" if about == "wrong" else PASSWORD}


def _refresh(world: World, about: str) -> dict[str, str]:
    return {"refresh": world.tokens["deactivated" if about == "deactivated" else "owner"].refresh}


def _token(world: World, about: str) -> dict[str, str]:
    return {"token": world.tokens["deactivated" if about == "deactivated" else "owner"].access}


def _mailed(purpose: AccountLink.Purpose, email: str = "") -> Callable[[World, str], dict[str, str]]:
    """Return what sends the token of a link of the owner's, of a deactivated person's, or one that nobody was sent."""

    def body(world: World, about: str) -> dict[str, str]:
        person = world.people["deactivated" if about == "deactivated" else "owner"]
        link = make_link(user=person, purpose=purpose, email=email or person.email, now=world.now)
        return {"token": token_of(link) + ("x" if about == "wrong" else "")}

    return body


def _new_password(world: World, about: str) -> dict[str, str]:
    token = _mailed(AccountLink.Purpose.RESET_PASSWORD)(world, about)
    return token | {"new_password": "a longer pass phrase"}


PICTURE = picture()

# What each operation is sent, where it takes a body: good for whoever may do it.
BODIES: Mapping[str, dict[str, Any] | Callable[[World, str], dict[str, Any]]] = {
    "auth_token": _credentials,
    "auth_token_refresh": _refresh,
    "auth_token_verify": _token,
    "auth_logout": {},
    "auth_password_reset": {"email": "somebody@example.org"},
    "auth_password_reset_confirm": _new_password,
    "auth_email_verify": _mailed(AccountLink.Purpose.VERIFY_EMAIL),
    "auth_email_confirm": _mailed(AccountLink.Purpose.CHANGE_EMAIL, "elsewhere@example.org"),
    "users_create": {"username": "newcomer", "email": "new@example.org", "password": PASSWORD},
    "users_partial_update": {"user_type": "organizer"},
    "users_me_partial_update": {"first_name": "Grace"},
    "users_me_email": {"email": "elsewhere@example.org", "current_password": PASSWORD},
    "users_me_password": {"current_password": PASSWORD, "new_password": "a longer pass phrase"},
    "events_create": {
        "title": "Another one",
        "category": "meetup",
        "venue_name": "Town Hall",
        "starts_at": "2037-03-01T18:00:00+01:00",
        "ends_at": "2037-03-01T21:00:00+01:00",
    },
    "users_me_avatar_create": {"image": PICTURE},
    "events_cover_image_create": {"image": PICTURE},
    "events_partial_update": {"title": "A better title"},
    "events_cancel": {"reason": "Storm"},
    "events_duplicate": {"title": "Once more"},
    "sessions_create": lambda world, about: {
        "event": world.pk(about),
        "title": "Opening",
        "starts_at": world.objects[about].starts_at.isoformat(),
        "ends_at": world.objects[about].ends_at.isoformat(),
    },
    "sessions_partial_update": {"title": "Welcome"},
    "ticket_types_create": lambda world, about: {"event": world.pk(about), "name": "Late", "price": "30.00"},
    "ticket_types_partial_update": {"name": "Early"},
    "bookings_create": lambda world, about: {"event": world.pk(about)},
    "events_offer_next": {},
    "waitlist_accept": {},
    "waitlist_create": lambda world, about: {"event": world.pk(about)},
    "bookings_cancel": {"reason": "Ill in bed"},
    "bookings_partial_update": {"special_requirements": {"dietary": "vegan"}},
    "bookings_confirm": {"reason": "Paid at the counter"},
    "events_complimentary": {"email": "guest@example.org", "reason": "Press"},
    "events_complimentary_import": {"file": b"email,reason\nguest@example.org,Press\n"},
    "events_check_in": lambda world, _about: {"code": world.objects["ticket"].code},
    "events_scans": lambda world, _about: {
        "scans": [{"scan_id": "1", "code": world.objects["ticket"].code, "scanned_at": world.now.isoformat()}]
    },
    "bookings_record_payment": {"method": "cash", "note": "Receipt 17"},
    "refunds_mark_as_paid": {"note": "In cash"},
    "payments_refund": {"amount": "5.00", "reason": "The sound was bad"},
    "payments_callbacks": {"id": "evt_1", "type": "charge.succeeded", "data": {"key": "somebody"}},
    "payments_create": lambda world, about: {"booking": world.pk(about), "token": "tok_success"},
}


def body_for(world: World, row: Row) -> dict[str, Any]:
    body = BODIES.get(row.operation_id, {})
    return body(world, row.about) if callable(body) else body
