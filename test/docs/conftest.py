"""What the tests of the documentation share: connections, and a place for tables."""

import itertools
import os
import pathlib
import sys

import psycopg
import pytest

ROOT = pathlib.Path(__file__).parents[2]
DOCS = ROOT / "docs"
sys.path[:0] = [str(DOCS / "recipes"), str(ROOT / "test" / "readers")]

numbers = itertools.count(1)


@pytest.fixture(scope="session")
def extension():
    """Where it connects to is in the environment, as for every libpq client."""
    with psycopg.connect(autocommit=True) as connection:
        connection.execute("CREATE EXTENSION IF NOT EXISTS deltatx")


@pytest.fixture
def connect(extension):
    """Opens connections that are closed with the test."""
    opened = []

    def open_connection(autocommit=True):
        opened.append(psycopg.connect(autocommit=autocommit))
        return opened[-1]

    yield open_connection
    for connection in opened:
        connection.close()


@pytest.fixture
def connection(connect):
    return connect()


@pytest.fixture(scope="session")
def lake():
    directory = pathlib.Path(os.environ["WORK"]) / "lake"
    directory.mkdir(exist_ok=True)
    return directory


@pytest.fixture
def table(connection, lake):
    """The name of a new Delta table."""
    name = f"recipe.t{next(numbers)}"
    connection.execute("SELECT deltatx_create_table(%s, %s, 'id bigint')", [name, f"file://{lake}/{name}"])
    return name
