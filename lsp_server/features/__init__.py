"""What Shardlight does, one module a feature: (target, model) → plain values, checked before anybody sees them.

Nothing here knows URIs, the protocol's types, clocks or threads. Features do not import each other; ``registry``
lists them in the order in which a user sees them.
"""
