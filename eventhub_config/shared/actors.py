"""Who makes a change: a person, or a job of the system."""

from dataclasses import dataclass

from django.contrib.auth.models import AbstractBaseUser


@dataclass(frozen=True)
class System:
    """A job that acts without a person, such as ``System("sweep_expired_holds")``."""

    job: str

    def __str__(self) -> str:
        return f"system:{self.job}"


Actor = AbstractBaseUser | System


def is_person(actor: Actor, user_id: int) -> bool:
    """Return whether the actor is this user."""
    return not isinstance(actor, System) and actor.pk == user_id


def actor_label(actor: Actor) -> str:
    """Return how history names an actor: ``user:17`` or ``system:<job>``."""
    return str(actor) if isinstance(actor, System) else f"user:{actor.pk}"
