"""The interactive description: Swagger UI from this origin, with sign-in by a click."""

import base64
import hashlib
import json
import re
from importlib import resources

from fastapi import APIRouter, HTTPException, Request
from fastapi.openapi.docs import get_swagger_ui_oauth2_redirect_html
from fastapi.responses import HTMLResponse, Response

from gateway import languages
from gateway.openapi import document

_ASSETS = {"swagger-ui-bundle.js": "text/javascript", "swagger-ui.css": "text/css", "favicon.png": "image/png"}
_DAY = {"Cache-Control": "public, max-age=86400"}
_PAGE = """\
<!doctype html>
<html lang="zh-CN">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>通销 Tongxiao · API</title>
<link rel="stylesheet" href="/docs/swagger-ui.css">
<link rel="icon" href="/docs/favicon.png">
</head>
<body>
<div id="swagger-ui"></div>
<script src="/docs/swagger-ui-bundle.js"></script>
<script src="/docs/start.js"></script>
</body>
</html>
"""
_START = """\
const ui = SwaggerUIBundle({
  url: "/v1/openapi.json",
  dom_id: "#swagger-ui",
  deepLinking: true,
  displayRequestDuration: true,
  docExpansion: "none",
  filter: true,
  persistAuthorization: false,
  tryItOutEnabled: true,
  oauth2RedirectUrl: window.location.origin + "/docs/oauth2-redirect",
});
ui.initOAuth({ clientId: %s, usePkceWithAuthorizationCodeGrant: true });
"""


def router(client_id: str) -> APIRouter:
    """The page at `/` and `/docs`, and what it loads."""
    routes = APIRouter()
    start = _START % json.dumps(client_id)
    page = {"Content-Security-Policy": _policy(script="'self'")}
    returned = get_swagger_ui_oauth2_redirect_html().body
    scripts = " ".join(_hash(script) for script in re.findall(rb"<script>(.*?)</script>", bytes(returned), re.DOTALL))
    back = {"Content-Security-Policy": _policy(script=scripts)}
    for path in ("/", "/docs"):
        routes.add_api_route(path, lambda: HTMLResponse(_PAGE, headers=page), response_class=HTMLResponse)
    routes.add_api_route("/docs/oauth2-redirect", lambda: HTMLResponse(bytes(returned), headers=back))
    routes.add_api_route("/docs/start.js", lambda: Response(start, media_type="text/javascript"))
    routes.add_api_route("/docs/{name}", _asset)
    routes.add_api_route("/v1/openapi.json", _description)
    return routes


def _description(request: Request) -> Response:
    language = languages.preferred(request.headers.get("accept-language", ""))
    headers = {"Content-Language": language, "Vary": "Accept-Language"}
    return Response(document.encoded(language), headers=headers, media_type="application/json")


def _asset(name: str) -> Response:
    if name not in _ASSETS:
        raise HTTPException(404)
    content = (resources.files("fastapi_offline") / "static" / name).read_bytes()
    return Response(content, headers=_DAY, media_type=_ASSETS[name])


def _policy(*, script: str) -> str:
    return (
        f"default-src 'none'; script-src {script}; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
        "connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
    )


def _hash(script: bytes) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(script).digest()).decode()}'"
