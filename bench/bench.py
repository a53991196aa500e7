"""Run benchmarks and print what they found as a table in Markdown.

Each figure stands beside that of its floor, measured in the same run, in
rounds that take turns: machines and disks change their mind within minutes.
"""

import argparse
import datetime
import os
import platform
import sys

import append
import big
import bulk
import locks
import million
import report

BENCHMARKS = {module.__name__: module for module in (append, bulk, million, locks, big)}


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="few rounds, small tables")
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(BENCHMARKS))
    options = parser.parse_args()
    for name in options.names:
        if name not in BENCHMARKS:
            parser.error(f"no benchmark {name}, there are {', '.join(BENCHMARKS)}")
    return options


def main():
    options = arguments()
    report.text(
        f"Measured {datetime.date.today()}, {os.cpu_count()} cores, Linux {platform.release()}"
        f"{', quick run: not to be quoted' if options.quick else ''}."
        " Cells are min / **median** / max."
    )
    for name in options.names or BENCHMARKS:
        module = BENCHMARKS[name]
        print(f"== {name}: {module.__doc__.splitlines()[0]}", file=sys.stderr)
        module.run(options.quick)


if __name__ == "__main__":
    main()
