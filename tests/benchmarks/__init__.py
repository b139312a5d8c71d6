"""Ratios, each against a reference measured in the same run: `make bench`.

An absolute figure says more about the machine than about the code; a ratio to a known thing that is measured
alternately with it travels. A new benchmark is a function in a module of this package, marked with `@benchmark`.
"""
