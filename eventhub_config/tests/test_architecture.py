"""The shape of the house, read from the code itself: who may know whom, and who listens to whom."""

import ast
import importlib.util
import re
import weakref
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest
from django.apps import apps
from django.core.management import call_command
from django.dispatch import Signal

ROOT = Path(__file__).resolve().parents[2]
FLOOR, ROOF = "eventhub_config.shared", "eventhub_config"
APPS = ["users", "events", "bookings", "payments", "notifications"]
# Programs for a terminal: they start the whole, and nothing of it knows them (import-linter's contract).
DEVELOPMENT = "eventhub_config.development"
LEVEL = {FLOOR: 0} | {app: number for number, app in enumerate(APPS, 1)}


def layer_of(module: str) -> str:
    """Return the app, the floor or the roof that a dotted name belongs to; empty: somebody else's."""
    if module == FLOOR or module.startswith(f"{FLOOR}."):
        return FLOOR
    first = module.partition(".")[0]
    return first if first in {*APPS, ROOF} else ""


def modules() -> Iterator[tuple[str, Path]]:
    """Yield every module of ours but tests, with its file."""
    for package in (ROOF, *APPS):
        for path in sorted((ROOT / package).rglob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            if "tests" not in parts:
                yield ".".join(parts).removesuffix(".__init__"), path


# --- Who knows whom ---------------------------------------------------------------------------------------------------

# Calls that take a module or a model by its name.
BY_NAME = {"import_module", "__import__", "import_string", "find_spec", "get_model"}
BY_NAME |= {"ForeignKey", "OneToOneField", "ManyToManyField"}


def imported(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Yield (line, dotted name) of everything that a module imports, lazily or for types only."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative imports hide where they lead"
            yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)


def looked_up(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Yield (line, name) of every module or model that a module asks for by a string."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        function = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        words = [word.value for word in node.args if isinstance(word, ast.Constant) and isinstance(word.value, str)]
        if function in BY_NAME and words and words[0] != "self":
            yield node.lineno, words[0]


def upward(module: str, source: str) -> list[str]:
    """Return what a module knows and may not."""
    home, tree = layer_of(module), ast.parse(source)
    names = [*imported(tree), *(() if home == ROOF else looked_up(tree))]  # the roof names apps, as strings
    return [f"{module}:{line} knows {name}" for line, name in sorted(names) if not _may_know(home, layer_of(name))]


def _may_know(home: str, there: str) -> bool:
    if there in {"", home}:
        return True
    return there == FLOOR if home == ROOF else LEVEL.get(there, len(LEVEL)) < LEVEL[home]


def test_nobody_knows_what_is_above() -> None:
    ours = [(module, path) for module, path in modules() if not module.startswith(DEVELOPMENT)]

    assert len(ours) > 100
    assert [complaint for module, path in ours for complaint in upward(module, path.read_text())] == []


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("eventhub_config.shared.errors", "import users"),
        ("eventhub_config.shared.errors", "from users.models import CustomUser"),
        ("eventhub_config.shared.errors", "from eventhub_config.meta import MetaView"),
        ("eventhub_config.shared.errors", "from eventhub_config import settings"),
        ("users.models", "from events.models import Event"),
        ("events.services.seats", "def lazily():\n    from bookings.models import Booking"),
        (
            "bookings.models",
            "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from payments.models import Payment",
        ),
        ("bookings.models", "models.ForeignKey('payments.Payment')"),
        ("bookings.services", "apps.get_model('payments', 'Payment')"),
        ("bookings.services", "apps.get_model('payments.Payment')"),
        ("bookings.services", "import_module('notifications.services')"),
        ("payments.services", "import importlib\nimportlib.import_module('notifications.services')"),
        ("payments.services", "import_string('notifications.services.notify')"),
        ("users.apps", "from eventhub_config.celery import app"),
        ("eventhub_config.urls", "from users.views import UserViewSet"),
    ],
)
def test_the_look_at_a_module_finds_what_it_may_not_know(module: str, source: str) -> None:
    assert len(upward(module, source)) == 1


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("notifications.receivers", "from payments.signals import payment_failed\nfrom users.models import CustomUser"),
        ("events.models", "from eventhub_config.shared import money\nfrom events import signals"),
        ("eventhub_config.urls", "include('users.urls')"),
        ("eventhub_config.management.commands.load_demo", "import_module('users.demo')"),
        ("eventhub_config.meta", "from eventhub_config.shared.errors import error_codes"),
        ("users.models", "import django.db.models"),
    ],
)
def test_the_look_at_a_module_lets_the_rest_be(module: str, source: str) -> None:
    assert upward(module, source) == []


@pytest.mark.parametrize("app", APPS)
def test_keys_point_to_the_same_app_or_below(app: str) -> None:
    for model in apps.get_app_config(app).get_models():
        for field in model._meta.get_fields():
            if field.is_relation and not field.auto_created and field.related_model:
                there = field.related_model._meta.app_label
                assert there not in APPS or APPS.index(there) <= APPS.index(app), field


def test_the_topics_of_notifications_do_not_know_one_another() -> None:
    """STYLE 2: one module per topic in models, services and views."""
    for package in ("models", "services", "views"):
        topics = {path.stem for path in (ROOT / "notifications" / package).glob("*.py")} - {"__init__"}
        for topic in topics:
            tree = ast.parse((ROOT / "notifications" / package / f"{topic}.py").read_text())
            others = {f"notifications.{part}.{other}" for part in ("models", "services", "views") for other in topics}
            others = {name for name in others if not name.endswith(f".{topic}")}
            assert not [name for _line, name in imported(tree) if name.rpartition(".")[0] in others], topic


def test_nobody_but_the_demo_knows_a_provider_by_name() -> None:
    """STYLE 2: payments/gateway.py is the way to all of them."""
    for module, path in modules():
        if not module.startswith("payments.gateways") and module not in {"payments.gateway", "payments.demo"}:
            found = [it for it in imported(ast.parse(path.read_text())) if it[1].startswith("payments.gateways")]
            assert found == [], module


# --- Habits that a reviewer would have to look for --------------------------------------------------------------------


SIGNALS = "django.db.models.signals."


def calls(tree: ast.AST) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            yield node.lineno, node.func.attr


def test_tasks_are_sent_by_the_floor_only() -> None:
    """STYLE 6: nothing else may hold a request up, or be sent before its commit."""
    for module, path in modules():
        if module == "eventhub_config.shared.dispatch":
            continue
        assert not [
            it for it in calls(ast.parse(path.read_text())) if it[1] in {"delay", "apply_async", "send_task"}
        ], module


def test_nobody_listens_to_rows_being_saved() -> None:
    """STYLE 1: bulk updates pass such signals by, and readers never find them."""
    harmless = {"post_migrate", "pre_migrate"}
    for module, path in modules():
        heard = {name.rpartition(".")[2] for _line, name in imported(ast.parse(path.read_text())) if SIGNALS in name}
        assert heard <= harmless, module


def test_tasks_have_names_of_their_own_and_take_anything_besides() -> None:
    """STYLE 6: moving a module or deploying must break no queued message."""
    for module, path in modules():
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef) and (task := _task_decorator(node)):
                assert [keyword.arg for keyword in task.keywords if keyword.arg == "name"], f"{module}.{node.name}"
                assert not node.args.args, f"{module}.{node.name} takes ids by keyword only"
                assert node.args.kwarg, f"{module}.{node.name} must tolerate unknown keywords"


def _task_decorator(function: ast.FunctionDef) -> ast.Call | None:
    for decorator in function.decorator_list:
        if isinstance(decorator, ast.Call) and getattr(decorator.func, "id", "") == "shared_task":
            return decorator
        assert getattr(decorator, "id", "") != "shared_task", f"{function.name} has no name of its own"
    return None


# --- Who listens to whom ----------------------------------------------------------------------------------------------

TABLE_ROW = re.compile(r"^\| `(?P<signals>[a-z_.`, ]+)` \| (?P<receivers>.+) \|$", re.MULTILINE)


def documented() -> dict[str, list[tuple[str, str]]]:
    """Return the table of docs/architecture.md: signal -> its receivers as (app, function)."""
    table: dict[str, list[tuple[str, str]]] = {}
    text = (ROOT / "docs" / "architecture.md").read_text()
    _, _, section = text.partition("| signal | receivers |")
    rows = section.partition("\n\n")[0]
    for row in TABLE_ROW.finditer(rows):
        receivers = [tuple(part.strip().split(": ", 1)) for part in row["receivers"].split(" · ") if ":" in part]
        table[row["signals"]] = sorted(receivers)
    return table


def connected() -> dict[str, list[tuple[str, str]]]:
    """Return the same from the code."""
    table = {}
    for app in APPS:
        if importlib.util.find_spec(f"{app}.signals"):
            for name, signal in vars(import_module(f"{app}.signals")).items():
                if isinstance(signal, Signal):
                    table[f"{app}.{name}"] = sorted(_receivers(signal))
    return table


def _receivers(signal: Signal) -> Iterator[tuple[str, str]]:
    for _key, reference, *_ in signal.receivers:
        receiver = reference() if isinstance(reference, weakref.ref) else reference
        if receiver is not None and layer_of(receiver.__module__):  # not those of tests, nor dead ones
            yield receiver.__module__.partition(".")[0], receiver.__name__


def test_the_table_of_signals_is_true() -> None:
    assert connected()["bookings.booking_cancelled"]
    assert documented() == connected()


def test_receivers_stand_where_one_looks_for_them() -> None:
    for app in APPS:
        for module, path in modules():
            if module.startswith(f"{app}.") and "@receiver(" in path.read_text():
                assert module == f"{app}.receivers"


# --- The rest ---------------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_migrations_are_up_to_date() -> None:
    call_command("makemigrations", "--check", "--dry-run", verbosity=0)


def test_psycopg_3_is_not_there() -> None:
    """Django would prefer it without a word; ours is tried with psycopg2."""
    assert importlib.util.find_spec("psycopg") is None
    assert importlib.util.find_spec("psycopg2") is not None
