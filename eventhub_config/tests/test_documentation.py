"""README and docs: what they name exists, and what they list is what there is."""

import re
from itertools import pairwise, product
from pathlib import Path

import pytest
from django.urls import get_resolver

from eventhub_config.settings import env
from eventhub_config.shared.errors import error_codes
from eventhub_config.shared.periodic import all_jobs
from eventhub_config.shared.registry import contributions
from eventhub_config.shared.transitions import status_models

CHECKOUT = Path(__file__).resolve().parents[2]
PAGES = [CHECKOUT / "README.md", *sorted((CHECKOUT / "docs").rglob("*.md"))]
TEXTS = {page.relative_to(CHECKOUT): page.read_text() for page in PAGES}
# Read by tools around the settings, or by programs that we start.
OTHER_VARIABLES = {
    "ENV_FILE", "PORT", "POSTGRES_PASSWORD", "LOAD_DEMO", "PYTHON", "ARGS", "PROCESSES", "BASE", "RUN",
    "EVENTHUB_TEST_EVENTS", "EVENTHUB_LOAD_MINUTES", "EVENTHUB_LOAD_HISTORY", "EVENTHUB_PAYMENTS", "EVENTHUB_LIVES",
    "EVENTHUB_PAID_BOOKINGS", "MINUTES", "SEED", "CONTROL", "REPLAY",
}  # fmt: skip
# In capitals with an underscore or in code, and no variables.
NO_VARIABLES = {
    "INITIAL", "TRANSITIONS", "RECORDS_CREATION", "WHERE", "UPDATE", "CHECK", "GET", "POST", "PATCH", "FOR", "TZID",
}  # fmt: skip


def anchors(text: str) -> set[str]:
    """Return the anchors of a page's headings, as they are made where Markdown is shown."""
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def in_code(text: str) -> str:
    """Return what stands in code, in lines or in blocks."""
    return "\n".join(re.findall(r"```.*?```|`[^`\n]+`", text, re.DOTALL))


def table(text: str, first_heading: str) -> list[list[str]]:
    """Return the rows of the table whose header begins with that word."""
    found = re.search(rf"^\| {first_heading} \|.*\n\|[-|]+\|\n((?:\|.*\n)+)", text, re.MULTILINE)
    assert found, f"no table begins with {first_heading}"
    return [[cell.strip() for cell in line.strip("| ").split(" | ")] for line in found[1].splitlines()]


@pytest.mark.parametrize("page", TEXTS, ids=str)
def test_internal_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", TEXTS[page]):
        if target.startswith("https://"):
            continue
        path, _, anchor = target.partition("#")
        there = (CHECKOUT / page.parent / path).resolve() if path else CHECKOUT / page
        assert there.exists(), f"{page} links to {target}"
        if anchor:
            assert anchor in anchors(there.read_text()), f"{page} links to {target}"


def test_every_page_can_be_reached_from_the_readme() -> None:
    reached: set[Path] = set()
    waiting = [CHECKOUT / "README.md"]
    while waiting:
        page = waiting.pop()
        if page in reached:
            continue
        reached.add(page)
        for target in re.findall(r"\]\(([^)\s#]+)", page.read_text()):
            there = (page.parent / target).resolve()
            there = there / "README.md" if there.is_dir() else there
            if there.suffix == ".md" and there.exists():
                waiting.append(there)

    assert {str(page) for page in PAGES} == {str(page) for page in reached}


@pytest.mark.parametrize("page", TEXTS, ids=str)
def test_make_targets_exist(page: Path) -> None:
    there = set(re.findall(r"^([a-z][a-z-]*):", (CHECKOUT / "Makefile").read_text(), re.MULTILINE))
    named = set(re.findall(r"\bmake ((?!PYTHON)[a-z][a-z-]*)", in_code(TEXTS[page])))

    assert named <= there


def test_every_make_target_is_told() -> None:
    there = set(re.findall(r"^([a-z][a-z-]*):.*##", (CHECKOUT / "Makefile").read_text(), re.MULTILINE))

    assert {row[0].strip("`").removeprefix("make ") for row in table(TEXTS[Path("docs/setup.md")], "command")} == there


@pytest.mark.parametrize("page", TEXTS, ids=str)
def test_environment_variables_exist(page: Path) -> None:
    spans = re.findall(r"`([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)(?:=[^`]*)?`", TEXTS[page])
    spans += re.findall(r"\b([A-Z][A-Z0-9_]+)=", in_code(TEXTS[page]))
    blocks = set(re.findall(r"^([A-Z]+)=", TEXTS[page], re.MULTILINE))  # a script's own

    assert set(spans) - blocks - NO_VARIABLES - OTHER_VARIABLES - env.names == set()


def test_setup_names_every_setting() -> None:
    """OPS-3"""
    named = set(re.findall(r"`([A-Z][A-Z0-9_]+)(?:=[^`]*)?`", (CHECKOUT / "docs/setup.md").read_text()))

    assert env.names - named - {"UNSAFE_NO_SEAT_GUARD"} == set()


def test_error_codes_are_those_of_the_code() -> None:
    """API-2"""
    assert get_resolver().url_patterns  # every view, and with them every refusal, is loaded
    rows = table(TEXTS[Path("docs/api.md")], "code")

    assert {code.strip("`"): meaning for code, meaning in rows} == error_codes()


def test_codes_in_texts_are_known() -> None:
    examples = re.findall(r"\b(?:400|401|403|404|409|412|422|429|503)\)? `([a-z_]+)`", TEXTS[Path("docs/api.md")])

    assert len(examples) > 4
    assert set(examples) <= set(error_codes())


def test_jobs_are_those_of_the_code() -> None:
    words = {"minute": 60, "5 minutes": 300, "hour": 3600, "day": 86_400}
    rows = table(TEXTS[Path("docs/architecture.md")], "job")
    told = {name.strip("`"): words[every] for name, every, _does in rows}

    assert told == {job.name: job.every.total_seconds() for job in all_jobs().values()} | {"heartbeat": 60}


def test_moves_are_those_of_the_code() -> None:
    """EVT-2, BKG-2, PAY-1"""
    told = {resource: moves(cell) for resource, cell in table(TEXTS[Path("docs/api.md")], "resource")}
    models = {str(model._meta.model_name): model for model in status_models()}

    assert set(models) - {"notification"} == set(told)  # of a notification, people see only whether they read it
    for resource, pairs in told.items():
        there = models[resource].TRANSITIONS.items()
        assert pairs == {(str(before), str(after)) for before, afters in there for after in afters}, resource


def moves(cell: str) -> set[tuple[str, str]]:
    """Return the pairs of states that a cell such as ```a` → `b` → `c`, `d`; `d` → `e``` tells of."""
    chains = [[re.findall(r"`(\w+)`", step) for step in chain.split("→")] for chain in cell.split(";")]
    return {pair for chain in chains for before, after in pairwise(chain) for pair in product(before, after)}


def test_product_ids_are_there_once_and_those_that_tests_name_exist() -> None:
    ids = re.findall(r"^\| ([A-Z]{3}-\d+) \|", TEXTS[Path("docs/product.md")], re.MULTILINE)
    counts = {"USR": 5, "EVT": 9, "BKG": 7, "PAY": 6, "NTF": 6, "ADM": 4, "API": 6, "OPS": 6}
    named = set()
    for test in CHECKOUT.glob("[a-z]*/tests/test_*.py"):
        named |= set(re.findall(r"\b((?:USR|EVT|BKG|PAY|NTF|ADM|API|OPS)-\d+)\b", test.read_text()))

    assert sorted(ids) == sorted(f"{topic}-{n}" for topic, last in counts.items() for n in range(1, last + 1))
    assert named <= set(ids)


def test_product_says_of_each_line_what_exists() -> None:
    for row in re.findall(r"^\| [A-Z]{3}-\d+ \| .+ \| (.+) \|$", TEXTS[Path("docs/product.md")], re.MULTILINE):
        assert re.match(r"(yes|part: \w|later)", row)


def test_every_dependency_has_its_line() -> None:
    for locked in ("requirements.in", "requirements-dev.in"):
        lines = (CHECKOUT / locked).read_text().splitlines()
        names = {re.split(r"[\[~=<>]", line)[0] for line in lines if line and line[0] not in "#-"}
        told = re.findall(r"^\| ([a-z][a-z0-9-]+) \|", TEXTS[Path("docs/dependencies.md")], re.MULTILINE)

        assert names <= set(told)


def test_contributed_modules_are_found() -> None:
    """``docs/architecture.md`` names them."""
    for module, attribute in {"integrity": "CHECKS", "demo": "load", "jobs": "JOBS", "choices": "CHOICES"}.items():
        assert list(contributions(module, attribute))
        assert f"`{module}.py`" in TEXTS[Path("docs/architecture.md")]
