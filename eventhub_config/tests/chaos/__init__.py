"""`make chaos`: everything at once, for real, while everything breaks; then the books are opened.

``machinery`` runs PostgreSQL, Valkey, gunicorn, two Celery workers and two Beats, and takes them apart. ``faults`` says
when and how, from a seed. ``people`` book, pay, queue, cancel and give money back over HTTP meanwhile, through
``clients`` that keep the key of whatever they did not get an answer to. ``settling`` waits until nothing is under way,
``judging`` holds what people were told against the rows, ``words`` reads the logs, ``record`` keeps it for a replay.
"""
