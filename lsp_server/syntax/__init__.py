"""What Shardlight knows about code: grammars, incremental trees, scopes, outlines, imports and syntax checks.

The only package that imports ``tree_sitter``. A language is one row in `languages` and one folder in ``queries/``; with
neither it is still a document, just without structure.
"""
