#!/usr/bin/env python3
"""Reads run.h5 of an Espalier run, finished or still being written.

    read_run.py run.h5            lists the series and their number of points
    read_run.py run.h5 SERIES     prints step, wall_secs, value as CSV

As a module: series(file) gives the names, columns(file, name) three arrays. Needs h5py.
"""
import sys

import h5py


def open_run(path):
    try:
        return h5py.File(path, "r")
    except OSError:  # a writer has it, or was killed
        return h5py.File(path, "r", libver="latest", swmr=True)


def is_compacted(file):
    state = file.attrs["state"]
    return (state.decode() if isinstance(state, bytes) else state) == "compacted"


def series(file):
    if is_compacted(file):
        return [row["name"].decode() for row in file["series"]]
    # Cells of the commit counter: sequence, then the rows of events, series, marks, ...
    return [name.decode() for name in file["series"][: file["commit"][2]]]


def columns(file, name):
    index = series(file).index(name)
    if is_compacted(file):
        row = file["series"][index]
        part = slice(row["offset"], row["offset"] + row["count"])
        return tuple(file["columns/" + column][part] for column in ("step", "wall_secs", "value"))
    events = file["events"][: file["commit"][1]]
    events = events[events["series"] == index]
    return events["step"], events["wall_secs"], events["value"]


def main():
    with open_run(sys.argv[1]) as file:
        if len(sys.argv) > 2:
            print("step,wall_secs,value")
            for step, wall, value in zip(*columns(file, sys.argv[2])):
                print(f"{step},{float(wall)!r},{float(value)!r}")
        else:
            for name in series(file):
                print(name, len(columns(file, name)[0]), sep="\t")


if __name__ == "__main__":
    main()
