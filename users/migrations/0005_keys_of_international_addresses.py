import unicodedata
from typing import Any

from django.db import IntegrityError, migrations, transaction


def _readable(label: str) -> str:
    try:
        return label.encode("ascii").decode("idna") if label.startswith("xn--") else label
    except UnicodeError:
        return label


def _key(email_key: str) -> str:
    """Return the key of an address, given it without regard to ``xn--``; both are folded."""
    local, at, domain = email_key.rpartition("@")
    readable = f"{local}{at}{'.'.join(map(_readable, domain.split('.')))}"
    folded = unicodedata.normalize("NFKD", unicodedata.normalize("NFD", readable).casefold()).casefold()
    return unicodedata.normalize("NFKC", folded)


def renew_keys(apps: Any, schema_editor: Any) -> None:
    """Let addresses with a domain such as ``xn--bcher-kva.example`` be found: their keys were made in another way."""
    users = apps.get_model("users", "CustomUser").objects
    for pk, key in users.filter(email_key__contains="xn--").order_by("pk").values_list("pk", "email_key"):
        try:
            with transaction.atomic():
                users.filter(pk=pk).update(email_key=_key(key))
        except IntegrityError:
            # Somebody has the other spelling of it: `check_integrity` names this one for a person to decide.
            continue


class Migration(migrations.Migration):
    dependencies = [("users", "0004_administrators_are_verified")]

    operations = [migrations.RunPython(renew_keys, migrations.RunPython.noop, elidable=True)]
