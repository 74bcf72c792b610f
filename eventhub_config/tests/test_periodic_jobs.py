"""Periodic work: one list for Beat, for ``manage.py run_job`` and for tests."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
from celery import current_app, shared_task
from django.core.management import CommandError, call_command
from django_celery_beat.models import IntervalSchedule, PeriodicTask

from eventhub_config.beat import ensure_beat_entries
from eventhub_config.development.embedded import Server
from eventhub_config.shared import periodic
from eventhub_config.shared.health import SILENT_AFTER
from eventhub_config.shared.models import Heartbeat, IdempotencyRecord, RateLimitCounter
from eventhub_config.shared.periodic import Chore, Sweep, all_jobs
from eventhub_config.shared.registry import contributions
from eventhub_config.shared.tasks import heartbeat, run_job
from eventhub_config.tests.test_dispatch import arguments

pytestmark = pytest.mark.django_db

NOW = datetime(2027, 3, 1, 12, 0, tzinfo=UTC)
# ARCHITECTURE 2, "Work that must happen", as far as it is built.
PROMISED = {
    "advance_event_status": 1,
    "process_payment_timeout": 5,
    "sweep_cancelled_events": 1,
    "sweep_expired_holds": 1,
    "sweep_images": 1,
    "sweep_invoices": 1,
    "sweep_messages": 1,
    "sweep_payments": 1,
    "sweep_refunds": 1,
}


@shared_task(name="tests.work")
def work_task(**_: object) -> None:
    pass


def a_sweep(ids: list[int], worked: list[int], poisoned: int | None = None) -> Sweep:
    def work(pk: int, now: datetime) -> None:
        assert now == NOW
        if pk == poisoned:
            raise ValueError("poison")
        worked.append(pk)

    def find(now: datetime) -> list[int]:
        assert now == NOW
        return ids

    return Sweep("a_sweep", timedelta(minutes=1), find=find, work=work, task=work_task, argument="row_id")


# --- The list ---------------------------------------------------------------------------------------------------------


def test_all_that_is_promised_is_there_at_its_pace() -> None:
    jobs = all_jobs()

    assert {name: jobs[name].every for name in PROMISED if name in jobs} == {
        name: timedelta(minutes=minutes) for name, minutes in PROMISED.items()
    }


def test_no_two_jobs_share_a_name() -> None:
    names = [job.name for _app, jobs in contributions("jobs", "JOBS") for job in jobs]

    assert sorted(names) == sorted(set(names))


def test_every_sweep_has_a_task_that_takes_its_ids_and_tolerates_unknown_ones() -> None:
    """STYLE 6: a deploy must not break what is queued."""
    for job in all_jobs().values():
        if isinstance(job, Sweep):
            assert job.task.name in current_app.tasks
            job.task.run(**{job.argument: 10**9, "added_by_a_newer_release": 1})


@pytest.mark.parametrize("name", sorted(PROMISED))
def test_every_job_has_nothing_to_do_where_there_is_nothing(name: str) -> None:
    output = StringIO()

    call_command("run_job", name, "--now", "2027-03-01T12:00:00Z", stdout=output)

    assert output.getvalue() == f"{name}: 0\n"


# --- Running ----------------------------------------------------------------------------------------------------------


def test_one_poisoned_row_stops_no_other(caplog: pytest.LogCaptureFixture) -> None:
    worked: list[int] = []

    done = a_sweep([1, 2, 3], worked, poisoned=2).run(NOW)

    assert (done, worked) == (2, [1, 3])
    assert "a_sweep failed on 2" in caplog.text


def test_a_run_takes_no_more_than_its_share(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(periodic, "BATCH", 2)
    worked: list[int] = []

    a_sweep([1, 2, 3], worked).run(NOW)

    assert worked == [1, 2]


def test_hands_each_row_to_a_worker(redis_to_disturb: Server) -> None:
    worked: list[int] = []

    assert a_sweep([1, 2, 3], worked).hand_out(NOW) == 3

    assert worked == []
    assert arguments() == [([], {"row_id": pk}) for pk in (1, 2, 3)]


def test_hands_nothing_out_while_the_broker_is_away(redis_to_disturb: Server) -> None:
    redis_to_disturb.kill()

    assert a_sweep([1, 2, 3], []).hand_out(NOW) == 0


def test_beat_runs_a_job_by_its_name_and_tolerates_unknown_ones() -> None:
    run_job.run(name="sweep_payments", added_by_a_newer_release=1)
    run_job.run(name="of_another_release")


def test_a_heartbeat_says_that_a_worker_works() -> None:
    heartbeat.run()
    heartbeat.run()

    assert Heartbeat.objects.get().name == "worker"
    assert timedelta(minutes=1) < SILENT_AFTER


def test_leftovers_are_purged_when_nobody_asks_for_them_any_more() -> None:
    for name, age in {"old": timedelta(hours=49), "young": timedelta(hours=47)}.items():
        IdempotencyRecord.objects.create(
            user_id=1,
            route="POST /api/things/",
            key=name,
            body_hash="",
            resource_id=1,
            response_status=201,
            created_at=NOW - age,
        )
    for name, ago in {"over": 1, "going on": -1}.items():
        RateLimitCounter.objects.create(key=name, count=1, expires_at=NOW - timedelta(minutes=ago))

    call_command("run_job", "purge_leftovers", "--now", NOW.isoformat(), stdout=StringIO())

    assert [record.key for record in IdempotencyRecord.objects.all()] == ["young"]
    assert [counter.key for counter in RateLimitCounter.objects.all()] == ["going on"]


# --- By hand ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def a_listed_job(monkeypatch: pytest.MonkeyPatch) -> list[datetime]:
    """List a job that remembers when it was told to run."""
    runs: list[datetime] = []

    def run(now: datetime) -> int:
        runs.append(now)
        return 7

    from eventhub_config.shared import jobs

    monkeypatch.setattr(jobs, "JOBS", [*jobs.JOBS, Chore("a_chore", timedelta(minutes=1), run)])
    return runs


def test_a_job_runs_by_hand_at_any_moment(a_listed_job: list[datetime]) -> None:
    output = StringIO()

    call_command("run_job", "a_chore", "--now", "2027-03-01T13:00:00+01:00", stdout=output)
    call_command("run_job", "a_chore", stdout=output)

    assert a_listed_job[0] == NOW
    assert a_listed_job[1].tzinfo is not None
    assert output.getvalue() == "a_chore: 7\n" * 2


def test_the_jobs_are_listed() -> None:
    output = StringIO()

    call_command("run_job", stdout=output)

    assert "sweep_payments: every 0:01:00\n" in output.getvalue()
    assert len(output.getvalue().splitlines()) == len(all_jobs())


@pytest.mark.parametrize("moment", ["tomorrow", "2027-03-01T12:00:00", "2027-03-01", "2027-02-30T12:00:00Z", ""])
def test_a_moment_needs_its_offset(moment: str, a_listed_job: list[datetime]) -> None:
    with pytest.raises(CommandError, match="takes a moment with its offset"):
        call_command("run_job", "a_chore", "--now", moment)

    assert a_listed_job == []


def test_an_unknown_job_is_told_with_the_known_ones() -> None:
    with pytest.raises(CommandError, match=r"There is no job nonsense\. Known: .*sweep_payments"):
        call_command("run_job", "nonsense")


# --- Beat's entries ---------------------------------------------------------------------------------------------------


def entries() -> dict[str, tuple[str, dict[str, str], timedelta]]:
    return {
        entry.name: (entry.task, json.loads(entry.kwargs), timedelta(seconds=entry.interval.every))
        for entry in PeriodicTask.objects.exclude(task__startswith="celery.").select_related("interval")
    }


def test_every_job_has_its_entry_after_a_migration() -> None:
    expected = {job.name: ("eventhub.run_job", {"name": job.name}, job.every) for job in all_jobs().values()}
    expected["heartbeat"] = ("eventhub.heartbeat", {}, timedelta(minutes=1))

    assert entries() == expected
    assert {"eventhub.run_job", "eventhub.heartbeat"} <= set(current_app.tasks)


def test_a_migration_makes_them_anew_once() -> None:
    before = entries()
    PeriodicTask.objects.all().delete()

    call_command("migrate", verbosity=0)
    call_command("migrate", verbosity=0)

    assert entries() == before


def test_what_somebody_edited_stays() -> None:
    seldom = IntervalSchedule.objects.create(every=1, period=IntervalSchedule.DAYS)
    PeriodicTask.objects.filter(name="sweep_refunds").update(interval=seldom, enabled=False)

    ensure_beat_entries()

    entry = PeriodicTask.objects.get(name="sweep_refunds")
    assert (entry.interval, entry.enabled) == (seldom, False)


def test_what_somebody_added_stays_and_what_is_no_job_any_more_goes() -> None:
    every_minute = IntervalSchedule.objects.get(every=60)
    for name, task in {"mine": "my.own_task", "retired": "eventhub.run_job"}.items():
        PeriodicTask.objects.create(name=name, task=task, interval=every_minute)

    ensure_beat_entries()

    assert PeriodicTask.objects.filter(name="mine").exists()
    assert not PeriodicTask.objects.filter(name="retired").exists()


def test_runs_that_were_missed_do_not_pile_up() -> None:
    for entry in PeriodicTask.objects.exclude(task__startswith="celery.").select_related("interval"):
        assert entry.expire_seconds == max(60, entry.interval.every)


def test_the_clock_goes_on_during_a_long_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """A claim that counts from the beginning of the run would have run out when it is made."""
    seconds = iter([0.0, 0.4, 100.9])
    monkeypatch.setattr("eventhub_config.shared.periodic.time.monotonic", lambda: next(seconds))
    moments: list[datetime] = []
    sweep = replace(a_sweep([1, 2], []), work=lambda _pk, now: moments.append(now))

    sweep.run(NOW)

    assert moments == [NOW, NOW + timedelta(seconds=100)]
