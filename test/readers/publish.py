"""Publish the stories: their tables are made in one transaction, and each
round of steps is another one, over all tables whose story goes on.
"""

import copy
import os
from typing import NamedTuple

from lake import Table
from stories import STORIES


class Published(NamedTuple):
    """A published table: its directory, and the Arrow schema of each version."""
    directory: str
    partition_columns: list
    schemas: list


def publish(connection, root):
    """Returns the published tables by name, all mirrored."""
    os.makedirs(root, exist_ok=True)
    with connection.transaction():
        tables = {story.name: Table(connection, root, story.name, story.columns, story.partition_columns,
                                    story.properties) for story in STORIES}
    published = {name: Published(table.directory, table.partition_columns, [table.schema])
                 for name, table in tables.items()}
    for round_number in range(max(len(story.steps) for story in STORIES)):
        active = [story for story in STORIES if round_number < len(story.steps)]
        commit_round(connection, [(tables[story.name], story.steps[round_number]) for story in active])
        for story in active:
            published[story.name].schemas.append(copy.copy(tables[story.name].schema))
    for name in tables:
        wait(connection, name)
    return published


def commit_round(connection, steps):
    """One transaction that takes each of these tables one version further."""
    with connection.transaction():
        connection.execute("SELECT deltatx_begin()")
        for table, step in steps:
            step(table)
        committed = connection.execute("SELECT table_name FROM deltatx_commit()").fetchall()
    assert {name for name, in committed} == {table.name for table, _ in steps}


def wait(connection, name):
    assert connection.execute("SELECT deltatx_wait(%s)", [name]).fetchone()[0], f"{name} is not mirrored"
