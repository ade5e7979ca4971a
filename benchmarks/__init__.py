"""Measures: each prints what it does, and writes its figures with the command and the machine to ``results/``."""
