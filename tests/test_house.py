"""The house as CONTRIBUTING.md promises it: names found by themselves, parts that fit on a screen, true paths and pages."""

import ast
import importlib
import re
import sys
from collections import defaultdict

import pytest

from tests.places import ROOT

ROOMS = ("commands", "evaluation", "features", "serving", "training")
MODULES = [ROOT / "tokui.py", *(path for room in ROOMS for path in sorted((ROOT / room).rglob("*.py")))]
FACES = [
    path for path in MODULES if path.name == "__init__.py" and "__all__" in path.read_text(encoding="utf-8")
]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), ROOT / "Makefile"])
MOST_LINES = 60
"""Of a function, its docstring not counted."""


def name_of(path):
    return path.relative_to(ROOT).with_suffix("").as_posix().removesuffix("/__init__").replace("/", ".")


def defined(path):
    """Names that a module defines at its top."""
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            yield node.name
        elif isinstance(node, (ast.Assign, ast.AnnAssign)):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            yield from (
                leaf.id for target in targets for leaf in ast.walk(target) if isinstance(leaf, ast.Name)
            )


def test_no_public_name_is_defined_twice():
    homes = defaultdict(set)
    for path in MODULES:
        for name in defined(path):
            if not name.startswith("_"):
                homes[name].add(name_of(path))
    assert {name: modules for name, modules in homes.items() if len(modules) > 1} == {}


@pytest.mark.parametrize("path", FACES, ids=name_of)
def test_a_public_face_is_what_it_says(path):
    face = importlib.import_module(name_of(path))
    assert list(face.__all__) == sorted(set(face.__all__))
    for name in face.__all__:
        thing = getattr(face, name)
        assert thing.__module__.startswith(face.__name__), f"{name} is of {thing.__module__}"
        assert thing.__doc__, f"{name} has no docstring"


def test_functions_fit_on_a_screen_and_modules_in_a_sitting():
    long = []
    for path in [*MODULES, *sorted((ROOT / "tests").rglob("*.py"))]:
        text = path.read_text(encoding="utf-8")
        if len(text.splitlines()) > 400:
            long.append(name_of(path))
        for node in ast.walk(ast.parse(text)) if path in MODULES else ():
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                said = len((ast.get_docstring(node, clean=False) or "").splitlines())
                if node.end_lineno - node.lineno + 1 - said > MOST_LINES:
                    long.append(f"{name_of(path)}.{node.name}")
    assert long == []


def test_documents_name_no_path_and_no_module_that_is_not_there():
    rooms = "|".join((*ROOMS, "benchmarks", "tests", "docs"))
    stale = []
    for document in DOCUMENTS:
        text = document.read_text(encoding="utf-8")
        named = {match[0].rstrip("./") for match in re.finditer(rf"(?<![\w/.-])(?:{rooms})/[\w./-]+", text)}
        stale += [
            f"{document.name}: {path}" for path in named if "NAME" not in path and not (ROOT / path).exists()
        ]
        for match in re.finditer(rf"(?:\bfrom |\bimport |python -m |`)((?:{rooms})(?:\.\w+)+)", text):
            path = ROOT / match[1].replace(".", "/")
            if not (
                path.is_dir() or any(folder.with_suffix(".py").exists() for folder in (path, path.parent))
            ):
                stale.append(f"{document.name}: {match[1]}")
    assert stale == []


def test_the_api_page_is_what_the_docstrings_say():
    sys.path.insert(0, str(ROOT / "docs"))
    try:
        page = importlib.import_module("api").page()
    finally:
        sys.path.remove(str(ROOT / "docs"))
    text = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    assert text == page, "run python docs/api.py > docs/api.md"
