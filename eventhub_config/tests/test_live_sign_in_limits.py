"""RELIABILITY H7: sixty guesses at one password at once, over four web processes, behind forged addresses.

However Redis fares meanwhile, no more of them are looked at than the limit allows.
"""

import http.client
import json
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import pytest

from eventhub_config.development.embedded import Server
from eventhub_config.tests.live import own_queue, web
from users.models import UserSession
from users.tests.factories import PASSWORD, a_user

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(180)]

GUESSES, PROCESSES, LIMIT = 60, 4, 10


def guess(url: str, username: str, number: int, password: str = "wrong") -> int:
    """Try a password under an address of one's own invention; return the status."""
    link = http.client.HTTPConnection(urlsplit(url).netloc, timeout=60)
    headers = {
        "Content-Type": "application/json",
        "X-Forwarded-For": f"203.0.113.{number}, 198.51.100.{number}",
        "X-Real-IP": f"203.0.113.{number}",
        "Forwarded": f"for=203.0.113.{number}",
    }
    try:
        link.request("POST", "/api/auth/token/", json.dumps({"username": username, "password": password}), headers)
        return link.getresponse().status
    finally:
        link.close()


def sixty_guesses(url: str, username: str, meanwhile: Callable[[], object] = lambda: None) -> Counter[int]:
    """Guess sixty times from one barrier, while something else happens; count the answers."""
    barrier = threading.Barrier(GUESSES + 1)

    def one(number: int) -> int:
        barrier.wait()
        return guess(url, username, number)

    with ThreadPoolExecutor(GUESSES) as pool:
        answers = [pool.submit(one, number) for number in range(GUESSES)]
        barrier.wait()
        meanwhile()
        return Counter(answer.result() for answer in answers)


@pytest.fixture
def redis_of_its_own(process_environment: dict[str, str], own_valkey: Server) -> dict[str, str]:
    """Give processes a Redis that can be disturbed without disturbing other tests."""
    return own_queue(process_environment) | {"REDIS_URL": own_valkey.url, "SIGN_IN_ADDRESS_LIMIT": "1000"}


def nothing(_redis: Server) -> None:
    """Leave Redis alone."""


def stopped(redis: Server) -> None:
    redis.kill()


def frozen(redis: Server) -> None:
    redis.freeze()


@pytest.mark.parametrize(
    ("redis_is", "trusted_proxies"),
    [(nothing, 0), (nothing, 1), (stopped, 0), (frozen, 1)],
    ids=["up", "up-behind-a-proxy", "stopped", "frozen-behind-a-proxy"],
)
def test_ten_are_looked_at(
    redis_of_its_own: dict[str, str], own_valkey: Server, redis_is: Callable[[Server], None], trusted_proxies: int
) -> None:
    user, other = a_user(), a_user()
    environment = redis_of_its_own | {"TRUSTED_PROXIES": str(trusted_proxies)}
    with web(environment, workers=PROCESSES) as server:
        redis_is(own_valkey)

        assert sixty_guesses(server.url, user.username) == {401: LIMIT, 429: GUESSES - LIMIT}

        assert guess(server.url, user.username, 1, PASSWORD) == 429
        assert guess(server.url, other.username, 1, PASSWORD) == 200
    assert not UserSession.objects.filter(user=user).exists()


@pytest.mark.parametrize("disturb", [stopped, frozen], ids=["stops", "freezes"])
def test_ten_are_looked_at_when_redis_fails_in_the_middle(
    redis_of_its_own: dict[str, str], own_valkey: Server, disturb: Callable[[Server], None]
) -> None:
    user = a_user()
    with web(redis_of_its_own, workers=PROCESSES) as server:
        answers = sixty_guesses(server.url, user.username, lambda: disturb(own_valkey))
        again = sixty_guesses(server.url, user.username)

    assert answers + again == {401: LIMIT, 429: 2 * GUESSES - LIMIT}


def test_the_limit_of_an_address_holds_over_many_accounts(redis_of_its_own: dict[str, str]) -> None:
    environment = redis_of_its_own | {"SIGN_IN_ADDRESS_LIMIT": str(LIMIT)}
    with web(environment, workers=PROCESSES) as server, ThreadPoolExecutor(GUESSES) as pool:
        answers = Counter(pool.map(lambda number: guess(server.url, f"name{number}", number), range(GUESSES)))

    assert answers == {401: LIMIT, 429: GUESSES - LIMIT}


def test_a_restarted_web_server_remembers(redis_of_its_own: dict[str, str], own_valkey: Server) -> None:
    user = a_user()
    with web(redis_of_its_own, workers=PROCESSES) as server:
        sixty_guesses(server.url, user.username)
    own_valkey.kill()
    own_valkey.start()

    with web(redis_of_its_own, workers=PROCESSES) as server:
        assert sixty_guesses(server.url, user.username) == {429: GUESSES}


def test_control_a_limit_that_is_not_strict_lets_all_through_without_redis(
    redis_of_its_own: dict[str, str], own_valkey: Server
) -> None:
    """The general limit of an address is set to ten instead: it holds while Redis is there, and then it does not."""
    user = a_user()
    environment = redis_of_its_own | {"SIGN_IN_ACCOUNT_LIMIT": "1000", "ANONYMOUS_RATE": str(LIMIT)}
    with web(environment, workers=PROCESSES) as server:
        with_redis = sixty_guesses(server.url, user.username)
        own_valkey.kill()
        without_redis = sixty_guesses(server.url, user.username)

    assert with_redis[401] <= LIMIT
    assert without_redis == {401: GUESSES}
