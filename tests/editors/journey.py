"""What the journeys with the real model are made through in each editor."""

from __future__ import annotations

# The small model finds this bug.
TOTAL = """\
def total(prices, rate):
    summed = 0
    for price in prices:
        summed += prices * rate
    return summed
"""
RATIO = '''"""Shares of a whole."""


def ratio(part, whole):
    share = part / whole
    return round(share, 2)


print(ratio(1, 3))
'''
