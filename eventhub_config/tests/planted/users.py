"""What is planted among users."""

from __future__ import annotations

from django.contrib.auth.models import Group
from django.db.models import F

from eventhub_config.shared.models import StoredImage
from eventhub_config.tests.planted.planting import Steps, change, lift, planted
from eventhub_config.tests.planted.sound import with_avatar
from eventhub_config.tests.world import World
from users.models import CustomUser, PasswordResetRequest, UserProfile
from users.tests.factories import a_link, a_session, a_user


@planted("user_flags")
def somebody_made_staff_past_their_role(world: World) -> Steps:
    yield
    lift(CustomUser, "users_flags_follow_user_type")
    change(world.people["stranger"], is_staff=True)


@planted("user_groups")
def an_attendee_among_the_organizers(world: World) -> Steps:
    yield
    world.people["stranger"].groups.add(Group.objects.get(name="organizers"))


@planted("user_belongings")
def somebody_without_a_profile(world: World) -> Steps:
    yield
    UserProfile.objects.filter(user=world.people["stranger"]).delete()


@planted("user_keys")
def somebody_renamed_past_the_services(world: World) -> Steps:
    yield
    change(world.people["stranger"], username="renamed")


@planted("user_sessions")
def a_session_that_ended_without_a_reason(world: World) -> Steps:
    session = a_session()
    yield
    change(session, revoked_at=world.now)


@planted("user_links")
def a_link_that_ended_before_it_was_made(world: World) -> Steps:
    link = a_link(a_user(), "verify_email", now=world.now)
    yield
    change(link, expires_at=F("created_at"))


@planted("user_mails")
def a_mail_about_an_account_that_was_given_up(world: World) -> Steps:
    yield
    PasswordResetRequest.objects.create(login="x", created_at=world.now, parked_at=world.now)


@planted("avatars")
def an_avatar_that_is_a_cover(world: World) -> Steps:
    avatar = with_avatar(world).avatar_id
    yield
    StoredImage.objects.filter(pk=avatar).update(purpose="cover")
