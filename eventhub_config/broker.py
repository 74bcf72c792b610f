"""How workers and senders talk to Redis: as Celery does, but for one thing."""

from typing import Any

from kombu.transport import redis


class QoS(redis.QoS):
    """Keeps track of the messages that a worker has taken and not done yet."""

    def restore_unacked(self, client: Any = None) -> None:
        """Put them back into the queue, unless the connection is gone.

        A worker that lost Redis closes the connection before it puts them back over it; Celery 5.7 ends over that. They
        come back by their visibility time-out, and what they stand for is found by a sweep before that.
        """
        if self.channel.connection.client is None:
            if self._delivered:
                self._delivered.clear()
            return
        super().restore_unacked(client)


class Channel(redis.Channel):
    QoS = QoS


class Transport(redis.Transport):
    Channel = Channel
