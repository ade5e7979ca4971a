"""The documentation: what its site is made of, and what in its pages is worked out from the code.

Pages lie where people look for them on a code host (``docs/``, READMEs, ``CONTRIBUTING.md``); the site shows the same
files, and nothing is written twice.
"""
