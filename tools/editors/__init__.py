"""The real editors that ``tests/editors`` drive: fetched once, kept in the cache folder, nothing installed elsewhere.

``python -m tools.editors [pytest's arguments]`` fetches what is not there and runs the tests with it; ``make
test-editors`` does. What a variable of ``__main__.VARIABLES`` names already is taken as it is. What cannot be had on a
machine is said, and its tests are skipped; where ``CI`` is set that is a failure instead.
"""
