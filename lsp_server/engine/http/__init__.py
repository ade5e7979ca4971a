"""The wire: llama-server's and OpenAI's request shapes over HTTP on loopback, streamed with server-sent events.

Our own fields are optional and a client may leave them out: ``priority`` (inline, action, background), ``document``
(an opaque id; a newer inline request of the same document supersedes an older one), ``input_path`` and
``repository`` (what the hole's file is called).
"""
