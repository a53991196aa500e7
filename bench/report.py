"""Rounds, their statistics, and the table of results."""

import statistics
import time


class Series:
    """Measurements of several things, taken in rounds.

    Things are measured in turn within a round, in alternating order, so that a
    drift of the machine hits all of them.
    """

    def __init__(self):
        self.values = {}

    def rounds(self, count, measures):
        """measures: {name: function of the round's number that returns a measurement}"""
        for number in range(count):
            order = list(measures.items())
            for name, measure in order if number % 2 == 0 else reversed(order):
                self.values.setdefault(name, []).append(measure(number))

    def median(self, name):
        return statistics.median(self.values[name])

    def cell(self, name, digits=0):
        return cell(self.values[name], digits)

    def ratio(self, name, floor, digits=2):
        """The ratio round by round."""
        return cell([a / b for a, b in zip(self.values[name], self.values[floor])], digits)


def cell(values, digits=0):
    low, middle, high = (f"{value:.{digits}f}" for value in (min(values), statistics.median(values), max(values)))
    return f"{low} / **{middle}** / {high}"


def milliseconds(function, *args):
    start = time.perf_counter()
    function(*args)
    return (time.perf_counter() - start) * 1000


def text(line):
    print(line, end="\n\n")


def table(title, header, rows):
    print(f"### {title}\n")
    for cells in [header, ["---"] * len(header), *rows]:
        print("| " + " | ".join(cells) + " |")
    print()
