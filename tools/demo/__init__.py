"""The demo: a scripted editor drives the real language server and a real model on a copy of ``examples/shop``.

``editor`` speaks the protocol as an editor does, ``parts`` is what is shown and how each answer is checked, ``view``
draws it. Nothing here is canned: every answer comes over stdio from the process that editors start too.
"""
