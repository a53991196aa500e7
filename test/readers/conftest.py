"""What the tests share: the connection, the published tables, the engines."""

import importlib
import os

import psycopg
import pytest

import publish

@pytest.fixture(scope="session")
def connection():
    """Where it connects to is in the environment, as for every libpq client."""
    with psycopg.connect(autocommit=True) as connection:
        connection.execute("CREATE EXTENSION IF NOT EXISTS deltatx")
        yield connection


@pytest.fixture(scope="session")
def lake(connection):
    return publish.publish(connection, os.path.join(os.environ["WORK"], "lake"))


@pytest.fixture(scope="session")
def engine(request):
    """The module of an engine, imported by the first test that needs it: what is missing fails there."""
    return importlib.import_module("engine_" + request.param)
