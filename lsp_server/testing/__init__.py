"""Running code that nobody has looked at: the project's own tests, calls of its functions, and programs of a model.

The first are ``frameworks`` (which it has), ``sites`` (where its tests belong), ``bench`` and ``runners`` (how they are
run) and ``reports`` (what came of it); the second ``shell``; the third ``confined``, by which ``evaluation`` rates
models.
"""
