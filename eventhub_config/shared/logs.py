"""What the logs leave out."""

import logging

ROUTINE = {"eventhub.run_job", "eventhub.heartbeat"}
SENDING = "Sending due task"


class WithoutRoutine(logging.Filter):
    """Drop the lines that say, many times a minute, that Beat sent a periodic job and that it went well."""

    def filter(self, record: logging.LogRecord) -> bool:
        if record.levelno > logging.INFO:
            return True
        if record.name == "celery.beat":
            return SENDING not in str(record.msg)
        data = getattr(record, "data", None)  # Celery's, about the task
        return not (record.name == "celery.app.trace" and isinstance(data, dict) and data.get("name") in ROUTINE)
