"""Pages in a browser can send requests to loopback, too. Nothing here is for them.

A page's requests are known by ``Origin``, which a browser sends with everything that is not a plain look, and by
``Sec-Fetch-Site``, which it sends with that as well. No page of ours exists, so there is no origin that may ask. A page
reads no answer without ``Access-Control-…`` headers, which are never sent; what it asks beforehand (``OPTIONS``) is
answered alike whether there is such a path or not.
"""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

# What a browser says of a request of a page: of another site, of another port or name of this one.
_OF_A_PAGE = {"cross-site", "same-site", "same-origin"}


class NoBrowsers:
    """Middleware that refuses what a page in a browser sends."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or let the application do it."""
        refusal = _refusal(scope) if scope["type"] == "http" else None
        await (refusal or self._app)(scope, receive, send)


def _refusal(scope: Scope) -> Response | None:
    headers = Headers(scope=scope)
    if "origin" in headers or headers.get("sec-fetch-site") in _OF_A_PAGE:
        return Response("Pages in a browser are not served here.", 403, media_type="text/plain")
    if scope["method"] == "OPTIONS":
        return Response(status_code=405, headers={"Allow": ""})
    return None
