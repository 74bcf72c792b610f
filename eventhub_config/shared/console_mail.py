"""The way mail leaves by default: it is printed, as a person would read it."""

from django.core.mail import EmailMessage
from django.core.mail.backends import console


class EmailBackend(console.EmailBackend):
    """Django's prints what goes over the wire, with the HTML and with what cannot be read (encoded text, files)."""

    def write_message(self, message: EmailMessage) -> None:
        message.message()  # refuses what a mail server would be given as a forged header
        lines = [
            f"--- a mail to {', '.join(message.recipients())} ---",
            f"Subject: {message.subject}",
            *(f"Attached: {name}" for name in _attached(message)),
            "",
            str(message.body).strip(),
            "---",
        ]
        # One call, so that nobody else's lines get in between.
        self.stream.write("\n".join(lines) + "\n")


def _attached(message: EmailMessage) -> list[str]:
    # A MIME part has a method for its name, Django's own tuple begins with it.
    return [str(part[0] if isinstance(part, tuple) else part.get_filename()) for part in message.attachments]
