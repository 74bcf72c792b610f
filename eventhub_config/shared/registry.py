"""What belongs to all apps is contributed per app and found by module name.

``<app>/integrity.py``, ``demo.py``, ``statistics.py``, ``personal_data.py`` and ``jobs.py`` are looked up in every
installed app, in their order; an app without one contributes nothing.
"""

from collections.abc import Iterator
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType
from typing import Any

from django.apps import apps


def contributions(module_name: str, attribute: str) -> Iterator[tuple[str, Any]]:
    """Yield (app label, attribute) of each app's module of that name, lower apps first."""
    for app, module in _modules(module_name):
        yield app, getattr(module, attribute)


def _modules(module_name: str) -> Iterator[tuple[str, ModuleType]]:
    for config in apps.get_app_configs():
        if config.module is None or "site-packages" in (config.path or ""):
            continue
        path = f"{config.name}.{module_name}"
        if find_spec(path) is not None:
            yield config.label, import_module(path)
