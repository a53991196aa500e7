"""docs/reference.md lists what there is: its functions, views, settings and
conditions are those of the server and of src/errors.c, no more and no less.
"""

import re
import subprocess

import pytest

from conftest import DOCS, ROOT

REFERENCE = (DOCS / "reference.md").read_text()
CONTEXTS = {"user": "user", "superuser": "superuser", "sighup": "server"}
SAME_TYPES = {"integer": "int", "timestamp with time zone": "timestamptz", "'00:01:00'": "'1 min'"}


def section(title):
    """What stands below a heading of the second level."""
    return re.search(rf"^## {title}\n(.*?)(?=^## |\Z)", REFERENCE, re.MULTILINE | re.DOTALL).group(1)


def rows(text):
    """The cells of a table's rows, without its heading."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def signature(text):
    """One spelling of a function's signature."""
    text = re.sub(r"\s+", " ", text).strip()
    for longer, shorter in SAME_TYPES.items():
        text = text.replace(longer, shorter)
    return re.sub(r" DEFAULT ((?:'[^']*'|\w+))(?:::[\w\[\]]+)?", r" = \1", text)


def documented_functions():
    result = []
    for block in re.findall(r"^```\n(.*?)^```$", section("Functions"), re.MULTILINE | re.DOTALL):
        overloads = re.search(r"\w+(?: \| \w+)+", block)
        types = overloads.group().split(" | ") if overloads else [""]
        result += [signature(block.replace(overloads.group(), kind) if overloads else block) for kind in types]
    return sorted(result)


def test_functions(connection):
    actual = connection.execute("""
        SELECT format('%s(%s) → %s', p.proname, pg_get_function_arguments(p.oid), pg_get_function_result(p.oid))
        FROM pg_depend d JOIN pg_proc p ON p.oid = d.objid
        WHERE d.classid = 'pg_proc'::regclass AND d.deptype = 'e' AND p.pronamespace <> 'deltatx'::regnamespace
            AND d.refobjid = (SELECT oid FROM pg_extension WHERE extname = 'deltatx')""")
    assert documented_functions() == sorted(signature(function) for function, in actual)


def test_views(connection):
    """Views that are not internal, their columns, in order, and types."""
    documented = {name: [(column.strip("`"), kind) for column, kind, _ in rows(text)]
                  for name, text in re.findall(r"^### deltatx\.(\w+)\n(.*?)(?=^### |\Z)", section("Views"),
                                               re.MULTILINE | re.DOTALL)}
    actual = {}
    for view, column, kind in connection.execute("""
            SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod)
            FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0
            WHERE c.relnamespace = 'deltatx'::regnamespace AND c.relkind = 'v'
                AND obj_description(c.oid, 'pg_class') NOT LIKE 'internal:%'
            ORDER BY c.relname, a.attnum"""):
        actual.setdefault(view, []).append((column, "timestamptz" if kind.startswith("timestamp") else kind))
    assert documented == actual


def test_settings(connection):
    connection.execute("SELECT deltatx_transaction_id()")
    documented = {name.strip("`"): (default, who) for name, default, who, _ in rows(section("Settings"))}
    actual = {name: (value, CONTEXTS[context]) for name, value, context in connection.execute(
        "SELECT name, current_setting(name), context FROM pg_settings WHERE name LIKE 'deltatx.%'")}
    assert documented == actual


def test_conditions():
    documented = {name.strip("`"): state for name, state, *_ in rows(section("Conditions"))}
    codes = error_codes()
    entries = re.findall(r'\[DTX_\w+\] = \{"(\w+)", (ERRCODE_\w+|MAKE_SQLSTATE\(.*?\))\}',
                         (ROOT / "src" / "errors.c").read_text())
    assert len(entries) > 30
    assert documented == {name: codes.get(code) or "".join(re.findall(r"'(.)'", code)) for name, code in entries}


def error_codes():
    """SQLSTATEs by the names that C code has for them."""
    headers = subprocess.run(["pg_config", "--includedir-server"], capture_output=True, text=True, check=True)
    with open(headers.stdout.strip() + "/utils/errcodes.h", encoding="ascii") as header:
        return {name: "".join(re.findall(r"'(.)'", state))
                for name, state in re.findall(r"#define (ERRCODE_\w+) (MAKE_SQLSTATE\(.*?\))", header.read())}


def test_errors_of_functions_are_conditions():
    names = {name.strip("`") for name, *_ in rows(section("Conditions"))}
    lists = re.findall(r"^Errors: (.*?)\n\n", section("Functions"), re.MULTILINE | re.DOTALL)
    mentioned = {name for errors in lists for name in re.findall(r"`([A-Z]\w+)`", errors)}
    assert len(lists) > 10
    assert mentioned <= names


@pytest.mark.parametrize("kind, query", [
    ("function", "SELECT count(*) FROM pg_proc WHERE proname = %s"),
    ("view", "SELECT count(*) FROM pg_class WHERE relname = %s AND relnamespace = 'deltatx'::regnamespace"),
    ("setting", "SELECT count(*) FROM pg_settings WHERE name = 'deltatx.' || %s"),
])
def test_what_is_not_there_is_not_there(kind, query, connection):
    names = set(re.findall(r"`([a-z_]+)`", section("Not in this version"))) - {"deltatx_read"}
    assert len(names) > 10
    for name in names:
        assert connection.execute(query, [name]).fetchone()[0] == 0, f"there is a {kind} {name}"


def test_links_lead_somewhere():
    for file in [ROOT / "README.md", ROOT / "CHANGELOG.md", *DOCS.glob("*.md")]:
        for target in re.findall(r"\]\(([^)\s]+)\)", file.read_text()):
            if not target.startswith("http"):
                check_link(file, *target.partition("#")[::2])


def check_link(file, path, anchor):
    target = file.parent / path if path else file
    assert target.exists(), f"{file.name}: {path}"
    assert not anchor or anchor in anchors(target), f"{file.name}: {path}#{anchor}"


def anchors(file):
    """What GitHub makes of headings."""
    titles = re.findall(r"^#+ (.*)$", file.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}
