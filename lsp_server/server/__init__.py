"""The edge to the editor: the language server protocol in, plain values to the features, and back.

``app`` builds the server, ``session`` is what it knows, ``handlers/`` has one module a group of methods. Only
``from_proto`` and ``to_proto`` convert; handlers stay thin.
"""
