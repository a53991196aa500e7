"""pyarrow, from what delta-rs says about the files."""

import engine_deltars
from deltalake import DeltaTable

version = engine_deltars.version


def read(directory, version=None):
    return DeltaTable(directory, version=version).to_pyarrow_table()
