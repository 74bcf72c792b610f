"""How workers and senders talk to Redis: as Celery does, but that a worker which loses it goes on.

It closes the channels of the connection that it lost, and uses them once more after that: to put back what it had
fetched, and to acknowledge what it was working on. Celery 5.7 ends over the error of either.
"""

from typing import Any

from kombu.transport import redis, virtual
from redis.exceptions import ConnectionError as ConnectionLost


class QoS(redis.QoS):
    """Keeps track of the messages that a worker has taken and not done yet."""

    def restore_unacked(self, client: Any = None) -> None:
        """Put them back into the queue, unless the connection is gone.

        Then they come back by their visibility time-out; what they stand for is found by a sweep before that.
        """
        if is_closed(self.channel):
            if self._delivered:
                self._delivered.clear()
            return
        super().restore_unacked(client)


class Channel(redis.Channel):
    QoS = QoS

    def _connparams(self, asynchronous: bool = False) -> Any:
        if is_closed(self):
            raise ConnectionLost("The connection of this channel was closed.")  # which Celery expects
        return super()._connparams(asynchronous)  # type: ignore[misc]  # the stubs do not know it


class Transport(redis.Transport):
    Channel = Channel


def is_closed(channel: virtual.Channel) -> bool:
    """Return whether there is no connection any more that this channel could use, or make anew."""
    return getattr(channel.connection, "client", None) is None
