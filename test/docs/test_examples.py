"""The examples of README.md and docs: they work, in their order, and the recipe
that the guide shows is the tested one.

SQL is run by psql, as a reader would, each block in a session of its own, and
must succeed, or fail where the block says so.  The Python blocks of a document
share their variables, as in a notebook.  Each document has a database of its
own, and a directory for which /srv/lake stands.
"""

import re
import subprocess
from typing import NamedTuple

import pytest

import engine_duckdb
import engine_spark
from conftest import DOCS, ROOT

BLOCK = re.compile(r"^```(python|sql)( \w+)?\n(.*?)^```$", re.MULTILINE | re.DOTALL)


class Example(NamedTuple):
    document: str
    line: int
    language: str
    option: str
    text: str


def examples(path):
    document = path.read_text()
    return [Example(path.stem.lower(), document[:match.start()].count("\n") + 1,
                    match[1], (match[2] or "").strip(), match[3]) for match in BLOCK.finditer(document)]


EXAMPLES = [example for path in (ROOT / "README.md", DOCS / "guide.md", DOCS / "operations.md")
            for example in examples(path)]


class Place:
    """Where the examples of a document are run."""

    def __init__(self, document, lake):
        self.database = document
        self.directory = lake / document
        self.directory.mkdir()
        self.notebook = {}
        subprocess.run(["createdb", document], check=True)
        if not any("CREATE EXTENSION" in example.text for example in EXAMPLES if example.document == document):
            subprocess.run(["psql", "-X", "-q", "-d", document, "-c", "CREATE EXTENSION deltatx"], check=True)


@pytest.fixture(scope="module")
def places(lake):
    known = {}
    return lambda document: known.get(document) or known.setdefault(document, Place(document, lake))


@pytest.mark.parametrize("example", EXAMPLES, ids=[f"{example.document}.md:{example.line}" for example in EXAMPLES])
def test_example(example, places, monkeypatch):
    place = places(example.document)
    text = example.text.replace("/srv/lake", str(place.directory))
    monkeypatch.setenv("PGDATABASE", place.database)
    if example.language == "sql":
        run_sql(text, fails=example.option == "fails")
    else:
        wait_for_all()
        if example.option == "spark":
            place.notebook["spark"] = engine_spark.session()
        if example.option == "duckdb":
            place.notebook["duck"] = engine_duckdb.connect()
        exec(compile(text, f"{example.document}, line {example.line}", "exec"), place.notebook)


def run_sql(text, fails):
    done = psql(text)
    assert (done.returncode != 0) == fails, done.stderr
    assert not fails or "CONSTRAINT NAME" in done.stderr


def wait_for_all():
    done = psql("SELECT bool_and(deltatx_wait(table_name)) FROM deltatx.tables")
    assert done.stdout.strip() in ("t", ""), done.stderr


def psql(text):
    return subprocess.run(["psql", "-X", "-q", "-At", "-v", "ON_ERROR_STOP=1", "-v", "VERBOSITY=verbose", "-f", "-"],
                          input=text, capture_output=True, text=True)


def test_recipe_is_shown():
    shown = re.search(r"<!-- recipe -->\n```py\n(.*?)```\n<!-- end of recipe -->",
                      (DOCS / "guide.md").read_text(), re.DOTALL)
    assert shown and shown.group(1) == (DOCS / "recipes" / "deltatx_recipe.py").read_text()
