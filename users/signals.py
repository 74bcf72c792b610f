"""What happened to users, for higher apps to hear and for this app's own worker. Sent inside the transaction."""

from django.dispatch import Signal

user_registered = Signal()  # user
user_renamed = Signal()  # user, whose `display_name` is another one now
organizer_status_changed = Signal()  # user, now
password_changed = Signal()  # user, now

# Links by mail: who must be written to. None of these carries what makes a link work.
account_link_owed = Signal()  # link (an AccountLink), now
registration_link_owed = Signal()  # pending (a PendingRegistration), now
address_in_use = Signal()  # user, whose address somebody else typed; now
email_change_requested = Signal()  # link (an AccountLink), now
email_changed = Signal()  # user, old_email, now

# Work that a row stands for.
password_reset_requested = Signal()  # request_id
registration_requested = Signal()  # pending_id
email_change_owed = Signal()  # link_id
