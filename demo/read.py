"""Read two tables as anyone would who has never heard of deltatx:
read.py ORDERS ITEMS
"""

import glob
import importlib.util
import sys

import duckdb
import pyarrow
from deltalake import DeltaTable, write_deltalake
from deltalake.exceptions import DeltaError

orders, items = sys.argv[1:]

for directory in (orders, items):
    table = DeltaTable(directory)
    print(f"delta-rs  {directory.rsplit('/', 1)[1]}: version {table.version()}, {table.count()} rows")

[package] = importlib.util.find_spec("duckdb_extension_delta").submodule_search_locations
[extension] = glob.glob(f"{package}/**/delta.duckdb_extension", recursive=True)
connection = duckdb.connect(config={"allow_unsigned_extensions": "true"})
connection.execute(f"LOAD '{extension}'")
print("\nDuckDB    a join of both:")
print(connection.sql(f"""
    SELECT order_id, customer, count(*) AS items, sum(price) AS total
    FROM delta_scan('{orders}') AS o JOIN delta_scan('{items}') AS i USING (order_id)
    GROUP BY ALL ORDER BY order_id"""))

rows = pyarrow.table({"order_id": [9], "customer": ["Mallory"]})
try:
    write_deltalake(orders, rows, mode="append")
except DeltaError as error:
    print(f"delta-rs  an append behind PostgreSQL's back: {error}")
else:
    sys.exit("delta-rs could write shop.orders")
