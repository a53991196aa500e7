"""What a version holds, read by pyarrow from exactly its live files, and the
forms in which rows and schemas of different readers become comparable.
"""

import datetime
import decimal
import math
import urllib.parse

import pyarrow as pa
import pyarrow.parquet as pq

UTC = datetime.timezone.utc
EPOCH = datetime.datetime(1970, 1, 1, tzinfo=UTC)


def live_rows(connection, name, version, schema):
    """The rows of a version in comparable form, from deltatx_files."""
    rows = []
    files = connection.execute(
        "SELECT uri, partition_values FROM deltatx_files(%s, %s)", [name, version]).fetchall()
    for uri, partition in files:
        data = pq.ParquetFile(urllib.parse.unquote(urllib.parse.urlsplit(uri).path)).read().to_pylist()
        fixed = {key: partition_value(value, schema.field(key).type) for key, value in partition.items()}
        rows.extend({**row, **fixed} for row in data)
    return comparable(rows, schema)


def partition_value(text, kind):
    """A value of partitionValues as the column's type."""
    if text is None or pa.types.is_string(kind):
        return text
    if pa.types.is_date(kind):
        return datetime.date.fromisoformat(text)
    if pa.types.is_timestamp(kind):
        return datetime.datetime.fromisoformat(text)
    if pa.types.is_boolean(kind):
        return {"true": True, "false": False}[text]
    if pa.types.is_decimal(kind):
        return decimal.Decimal(text)
    return int(text)


def comparable(rows, schema):
    """Rows as sorted tuples of plain values, in the schema's order."""
    return sorted((tuple(plain(row.get(field.name), field.type) for field in schema) for row in rows), key=repr)


def plain(value, kind):
    """A value without what differs between readers of the same type."""
    if value is None:
        return None
    if pa.types.is_floating(kind):
        return "NaN" if math.isnan(value) else value
    if pa.types.is_timestamp(kind):
        return (value.astimezone(UTC) if kind.tz else value).isoformat()
    if pa.types.is_list(kind):
        return [plain(item, kind.value_type) for item in value]
    if pa.types.is_struct(kind):
        return [(field.name, plain(value[field.name], field.type)) for field in kind]
    if pa.types.is_map(kind):
        pairs = [(item["key"], item["value"]) if isinstance(item, dict) else item for item in value]
        return sorted((plain(key, kind.key_type), plain(item, kind.item_type)) for key, item in pairs)
    return value


def type_name(kind):
    """The name of an Arrow type, the same for all layouts that Arrow has of it."""
    if pa.types.is_dictionary(kind):
        return type_name(kind.value_type)
    if pa.types.is_map(kind):
        return f"list<struct<{type_name(kind.key_type)},{type_name(kind.item_type)}>>"
    if pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_list_view(kind):
        return f"list<{type_name(kind.value_type)}>"
    if pa.types.is_struct(kind):
        return f"struct<{','.join(type_name(field.type) for field in kind)}>"
    if pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        return "string"
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_binary_view(kind):
        return "binary"
    if pa.types.is_timestamp(kind):
        return "instant" if kind.tz else "timestamp"
    return str(kind)


def schema_names(schema):
    return {field.name: type_name(field.type) for field in schema}
