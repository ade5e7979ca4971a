"""What builds, checks and generates the project; never part of the installed package.

``bootstrap``, ``requirements``, ``progress`` and ``llama_build`` run before anything is installed: they use the
standard library alone, and load in Python 3.8 so that somebody with an old Python gets a sentence and no traceback.
"""
