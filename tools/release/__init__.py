"""Make a release: ``python -m tools.release version 0.2.0``, look at what that changed and commit it, then ``build``.

``build`` makes everything twice, in two folders, compares the two, puts one into ``dist/`` with its checksums, and
tries it in a clean environment of each Python that is here. CONTRIBUTING.md has the steps; to publish is none of them.
"""
