"""The demo: a scripted editor drives the real language server and a real model on a copy of ``examples/shop``.

``client`` and ``editor`` speak the protocol as an editor does, ``parts`` is what is shown, ``checks`` how each answer
is checked, ``stage`` asks and times, ``view`` and ``picture`` draw. Nothing here is canned: every answer comes over
stdio from the process that editors start too.
"""
