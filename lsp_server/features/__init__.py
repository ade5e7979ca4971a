"""What Shardlight does, one module a feature: (target, model) → plain values, checked before anybody sees them.

Nothing here knows URIs or the protocol's types. Features do not import each other (but for ``split``, which extracts);
``registry`` lists them in the order in which a user sees them.
"""
