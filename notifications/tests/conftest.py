from collections.abc import Iterator

import pytest
import time_machine

from events.tests.factories import NOW


@pytest.fixture
def at_now() -> Iterator[None]:
    """Stop the clock at ``NOW``."""
    with time_machine.travel(NOW, tick=False):
        yield
