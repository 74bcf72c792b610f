"""Every kind of message: its type, its words, and where its link leads.

``title`` and ``body`` are filled in with ``str.format`` when the message is written, on the path of what caused it: no
template, no query. The e-mail is made of the same words later; see ``mail.py``.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from notifications.models import Notification
from notifications.texts import single_line

Type = Notification.Type
TITLE_LENGTH = 200
# What a mail can bring along, see papers.py.
TICKETS, CALENDAR, INVOICE = "tickets", "calendar", "invoice"


@dataclass(frozen=True)
class Kind:
    """One kind of message. ``path`` is a page of the front end, filled in with the message's ``data``.

    An essential one is mailed whatever the person prefers. One that is not ``in_app`` is mailed only: it is about the
    mailbox itself, or for somebody who cannot sign in.
    """

    type: Notification.Type
    title: str
    body: str
    path: str = "/bookings/{booking}"
    link: str = "See your booking"
    essential: bool = False
    in_app: bool = True
    papers: tuple[str, ...] = ()


# About the account and its address: title, words, and what the link is called, if there is one.
ACCOUNT_MAILS = {
    "verify_email": (
        "Confirm your e-mail address",
        (
            "Please confirm that this is the address of your account {username}. The link works once, within "
            "{lifetime}. If you have no such account, ignore this mail."
        ),
        "Confirm this address",
    ),
    "confirm_registration": (
        "Confirm your registration",
        (
            "Somebody, we hope you, has registered the account {username} at Event Hub with this address. It is made "
            "when you use the link. The link works once, within {lifetime}. If it was not you, ignore this mail: no "
            "account will be made."
        ),
        "Make my account",
    ),
    "reset_password": (
        "Set a new password",
        (
            "Somebody, we hope you, has forgotten the password of your account {username}. Set a new one with this "
            "link; it works once, within {lifetime}. If it was not you, ignore this mail: nothing has changed."
        ),
        "Set a new password",
    ),
    "change_email": (
        "Confirm your new e-mail address",
        (
            "Please confirm that your account {username} is to have this address from now on. The link works once, "
            "within {lifetime}. If you have no such account, ignore this mail."
        ),
        "Use this address",
    ),
    "email_change_requested": (
        "Your e-mail address is about to change",
        (
            "Somebody, we hope you, has asked to change the e-mail address of your account {username} to {new_email}. "
            "It changes when the link that we have mailed there is used. If it was not you, set a new password at "
            "once: that ends the link."
        ),
        "",
    ),
    "email_changed": (
        "Your e-mail address was changed",
        (
            "Your account {username} has the e-mail address {new_email} now, and we will write to you there. If you "
            "did not ask for this, tell us at once."
        ),
        "",
    ),
    "address_in_use": (
        "You have an account already",
        (
            "Somebody, perhaps you, has entered this address for a new account or as the new address of another one. "
            "It belongs to your account {username}, so nothing has changed. If you cannot sign in any more, set a new "
            "password with “forgot password”."
        ),
        "",
    ),
}

WAITLIST_PATH = "/waitlist/{waitlist_entry}"
REFUND_PATH = "/organizer/refunds/{refund}"

KINDS: Mapping[str, Kind] = {
    "user_registered": Kind(
        Type.CONFIRMATION,
        "Welcome to Event Hub",
        "Your account {username} is ready. Find an event and book your seat.",
        path="/events",
        link="Find an event",
    ),
    **{
        kind: Kind(Type.UPDATE, title, body, path="", link=link, essential=True, in_app=False)
        for kind, (title, body, link) in ACCOUNT_MAILS.items()
    },
    "password_changed": Kind(
        Type.UPDATE,
        "Your password was changed",
        "The password of your account {username} was changed just now, and you were signed out everywhere else. "
        "If it was not you, set a new password at once with “forgot password”, and tell us.",
        path="",
        essential=True,
    ),
    "organizer_approved": Kind(
        Type.UPDATE,
        "You can publish events now",
        "Your organizer account {username} was approved. What you have drafted is ready to be published.",
        path="/organizer/events",
        link="See your events",
        essential=True,
    ),
    "organizer_rejected": Kind(
        Type.UPDATE,
        "Your organizer account was not approved",
        "We have not approved your organizer account {username}, so your events cannot be published. "
        "Your account stays, and you can book. If you think this is a mistake, tell us.",
        path="",
        essential=True,
    ),
    "booking_placed": Kind(
        Type.UPDATE,
        "Your seats are held: {event}",
        "We hold your seats for “{event}” under booking {reference}. Pay {amount} by {deadline} to confirm them.",
        link="Pay now",
    ),
    "booking_confirmed": Kind(
        Type.CONFIRMATION,
        "You are booked: {event}",
        "Your booking {reference} for “{event}” is confirmed. We look forward to seeing you.",
        papers=(TICKETS, CALENDAR),
    ),
    # Somebody asked for it: mailed whatever they prefer.
    "confirmation_requested": Kind(
        Type.CONFIRMATION,
        "Your booking, once more: {event}",
        "Your booking {reference} for “{event}” is confirmed. You asked for this message again, or those who run the "
        "event did for you.",
        essential=True,
        papers=(TICKETS, CALENDAR),
    ),
    # By somebody else's doing: mailed whatever they prefer.
    "booking_given": Kind(
        Type.CONFIRMATION,
        "You are invited: {event}",
        "{giver} has booked {seats} for you at “{event}”, free of charge. Your booking is {reference}. "
        "If you cannot come, please cancel it, so that somebody else can.",
        essential=True,
        papers=(TICKETS, CALENDAR),
    ),
    # The same to an account that nobody has used yet: the link sets its first password.
    "booking_given_to_newcomer": Kind(
        Type.CONFIRMATION,
        "You are invited: {event}",
        "{giver} has booked {seats} for you at “{event}”, free of charge. Your booking is {reference}. "
        "To see it, change it or cancel it, set a password with the link. When that has run out, ask for another one "
        "with “forgot password”.",
        link="Set a password",
        essential=True,
        papers=(TICKETS, CALENDAR),
    ),
    "booking_cancelled": Kind(
        Type.UPDATE,
        "Booking cancelled: {event}",
        "Your booking {reference} for “{event}” is cancelled. {reason}",
        papers=(CALENDAR,),
    ),
    "booking_expired": Kind(
        Type.UPDATE,
        "Booking expired: {event}",
        "Your booking {reference} for “{event}” was not paid in time, so its seats were given free. "
        "If there are seats left, you can book again.",
    ),
    "waitlist_joined": Kind(
        Type.WAITLIST,
        "You are on the waitlist: {event}",
        "We will tell you as soon as we can offer you {seats} at “{event}”. You can leave the waitlist at any time.",
        path=WAITLIST_PATH,
        link="See your place",
    ),
    # Mailed whatever they prefer: the offer runs out.
    "seat_offered": Kind(
        Type.WAITLIST,
        "Your turn: {event}",
        "We hold {seats} at “{event}” for you until {deadline}. Accept or decline the offer by then; after that it "
        "goes to the next.",
        path=WAITLIST_PATH,
        link="Accept or decline",
        essential=True,
    ),
    "offer_lapsed": Kind(
        Type.WAITLIST,
        "Your offer has run out: {event}",
        "You did not accept the seats at “{event}” that we held for you, so they went to the next. "
        "You can join the waitlist again.",
        path=WAITLIST_PATH,
        link="See your place",
    ),
    "waitlist_closed": Kind(
        Type.WAITLIST,
        "Not on the waitlist any more: {event}",
        "You are not on the waitlist of “{event}” any more. {reason} Nothing was charged.",
        path=WAITLIST_PATH,
        link="See your place",
    ),
    "booking_moved": Kind(
        Type.UPDATE,
        "New time or place: {event}",
        "“{event}” was moved. It now takes place {when}, {where}. Your booking {reference} stays as it is. {way_out}",
        papers=(TICKETS, CALENDAR),
    ),
    "payment_failed": Kind(
        Type.PAYMENT,
        "Payment failed: {event}",
        "Your payment of {amount} for “{event}” did not go through. "
        "While your booking {reference} is open, you can try again.",
        link="Try again",
    ),
    "refund_completed": Kind(
        Type.PAYMENT,
        "Refund of {amount}: {event}",
        "{amount} went back to you for your booking {reference} of “{event}”. {way} {reason}",
    ),
    # To those who run the event: nobody else can do anything about it.
    "refund_failed": Kind(
        Type.PAYMENT,
        "A refund did not go through: {event}",
        "{amount} of booking {reference} for “{event}” could not be given back ({reason}). "
        "You can have it tried again, or give the money back yourself and note that.",
        path=REFUND_PATH,
        link="See the refund",
        essential=True,
    ),
    "refund_left_to_people": Kind(
        Type.PAYMENT,
        "Money to be given back: {event}",
        "{amount} of booking {reference} for “{event}” has to go back, and no machine can do that: please pay it "
        "yourself, then note that you did.",
        path=REFUND_PATH,
        link="See the refund",
        essential=True,
    ),
    "invoice_issued": Kind(
        Type.PAYMENT,
        "{document} {number}: {event}",
        "{document} {number} over {amount} for your booking {reference} of “{event}” is attached, and in the app.",
        papers=(INVOICE,),
    ),
}


def words(kind: str, context: Mapping[str, str]) -> tuple[str, str]:
    """Return title and body of a message, each in one line: the title becomes the subject of an e-mail."""
    told = {name: single_line(value) for name, value in context.items()}
    title = KINDS[kind].title.format_map(told)
    if len(title) > TITLE_LENGTH:
        title = f"{title[: TITLE_LENGTH - 1]}…"
    return title, KINDS[kind].body.format_map(told).rstrip()
