from django.contrib.auth.hashers import Argon2PasswordHasher


class FrugalArgon2PasswordHasher(Argon2PasswordHasher):
    """Argon2id with 19 MiB and one thread: Django's 100 MiB and eight threads each let a few sign-ins exhaust a server.

    Source: OWASP Password Storage Cheat Sheet, first recommended configuration.
    """

    time_cost = 2
    memory_cost = 19_456  # KiB
    parallelism = 1
