"""RELIABILITY H6: how long an answer takes does not tell who has an account.

200 known and 200 unknown names are asked in turn, each pair in a random order, so that whatever else the machine does
falls on both alike. What is compared is the chance that a known name took longer than an unknown one (the AUC of the
Mann-Whitney U statistic): 0.5 if there is nothing to learn, 1 if every guess is right. It looks at ranks, so a few
answers that took ten times as long as the others do not count ten times.

Of two equal samples of 200 the AUC is off by more than 0.05 in 8 of 100 cases (its standard deviation is
sqrt((n + m + 1) / 12nm) = 0.029), of two of 600 in 3 of 1000. So a look that finds more than that is followed by
another, on all samples together, three at most: equal times fail about once in a thousand runs, and an AUC of 0.6 never
passes but by as much bad luck. The control leaves out hashing where nobody has the name, and has to be found.
"""

import random
import time
from bisect import bisect_left, bisect_right
from collections.abc import Callable

import pytest
from pytest_django import Settings

from users.models import CustomUser
from users.services import signing_in
from users.tests.factories import a_client, a_user

pytestmark = [pytest.mark.django_db, pytest.mark.timeout(300)]

PAIRS, LOOKS, NOTHING_TO_LEARN = 200, 3, 0.05


@pytest.fixture(autouse=True)
def _unlimited(settings: Settings) -> None:
    settings.ANONYMOUS_RATE = settings.SIGN_IN_ADDRESS_LIMIT = settings.SIGN_IN_ACCOUNT_LIMIT = 100_000


@pytest.fixture
def names() -> list[tuple[str, str]]:
    """Make 200 accounts, and return each one's name beside one that nobody has."""
    return [(a_user(username=f"known{number:03}").username, f"nobody{number:03}") for number in range(PAIRS)]


def sign_in(name: str) -> int:
    return a_client().post("/api/auth/token/", {"username": name, "password": "a wrong pass phrase"}).status_code


def ask_for_reset(name: str) -> int:
    return a_client().post("/api/auth/password/reset/", {"username": name}).status_code


def seconds(ask: Callable[[str], int], name: str, expected: int) -> float:
    began = time.perf_counter()
    status = ask(name)
    took = time.perf_counter() - began
    assert status == expected
    return took


def auc(first: list[float], second: list[float]) -> float:
    """Return the chance that one of the first is greater than one of the second; ties count half."""
    ranked = sorted(second)
    below = sum(bisect_left(ranked, value) + bisect_right(ranked, value) for value in first) / 2
    return below / (len(first) * len(second))


def what_time_tells(ask: Callable[[str], int], names: list[tuple[str, str]], expected: int) -> float:
    """Return the AUC of known against unknown names, after as many looks as it takes to be sure."""
    known: list[float] = []
    unknown: list[float] = []
    for name in names[0]:
        seconds(ask, name, expected)  # whatever is done once per process is done
    found = 1.0
    for _ in range(LOOKS):
        for pair in names:
            timed = [(pair[0], known), (pair[1], unknown)]
            random.shuffle(timed)
            for name, times in timed:
                times.append(seconds(ask, name, expected))
        found = auc(known, unknown)
        if abs(found - 0.5) <= NOTHING_TO_LEARN:
            break
    return found


def test_of_a_failed_sign_in(names: list[tuple[str, str]]):
    found = what_time_tells(sign_in, names, 401)

    assert abs(found - 0.5) <= NOTHING_TO_LEARN, f"a guess at who has an account is right in {found:.0%} of cases"


def test_of_asking_for_a_new_password(names: list[tuple[str, str]]):
    found = what_time_tells(ask_for_reset, names, 202)

    assert abs(found - 0.5) <= NOTHING_TO_LEARN, f"a guess at who has an account is right in {found:.0%} of cases"


def test_control_without_hashing_for_nobody_it_does(names: list[tuple[str, str]], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(signing_in, "check_password", lambda *_: False)

    assert what_time_tells(sign_in, names[:40], 401) > 0.95


def test_control_rows_that_are_written_for_somebody_do(names: list[tuple[str, str]]):
    """What a worker does for us would be seen if the request did it."""

    def write_too(name: str) -> int:
        user = signing_in.find_by_login(name)
        if user is not None:
            for _ in range(3):
                CustomUser.objects.filter(pk=user.pk).update(first_name="Ada")
        return ask_for_reset(name)

    assert what_time_tells(write_too, names, 202) > 0.5 + NOTHING_TO_LEARN


def test_the_statistic_knows_more_from_less():
    assert auc([3.0, 4.0], [1.0, 2.0]) == 1
    assert auc([1.0, 2.0], [3.0, 4.0]) == 0
    assert auc([1.0, 2.0], [1.0, 2.0]) == 0.5
    assert auc([2.0], [1.0, 2.0, 3.0, 9.0]) == 0.375
