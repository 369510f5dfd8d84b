"""Signing in as a person does: Keycloak's own page in a real browser, code and PKCE, then the API."""

import base64
import hashlib
import secrets
from collections.abc import Iterator
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import pytest
from playwright.sync_api import Browser, Page, Route, sync_playwright

from .platform import PASSWORD, Platform

CHROMIUM = "/usr/bin/chromium"
FLAGS = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--disable-background-networking"]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, headless=True, args=FLAGS)
        yield opened
        opened.close()


def signed_in(platform: Platform, browser: Browser, username: str) -> dict[str, str]:
    """The tokens that a sign-in through the browser ends with."""
    verifier = secrets.token_urlsafe(48)
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    back = f"{platform.url}/signed-in"
    asked = {"client_id": "tongxiao-web", "redirect_uri": back, "response_type": "code", "scope": "openid"}
    asked |= {"state": "s", "code_challenge": challenge, "code_challenge_method": "S256"}
    with browser.new_context(locale="zh-CN") as context:
        page = context.new_page()
        page.route(f"{back}**", _landing)
        page.goto(f"{platform.url}/v1/oauth/authorize?{urlencode(asked)}")
        _fill(page, username)
        page.wait_for_url(f"{back}**")
        code = parse_qs(urlsplit(page.url).query)["code"][0]
    form = {"grant_type": "authorization_code", "client_id": "tongxiao-web", "code": code, "redirect_uri": back}
    answer = httpx.post(f"{platform.url}/v1/oauth/token", data={**form, "code_verifier": verifier})
    tokens: dict[str, str] = answer.raise_for_status().json()
    return tokens


def _landing(route: Route) -> None:
    route.fulfill(status=200, body="signed in")


def _fill(page: Page, username: str) -> None:
    assert page.locator("#kc-login").inner_text().strip() == "登录"
    page.fill("#username", username)
    page.fill("#password", PASSWORD)
    page.click("#kc-login")


@pytest.mark.parametrize("username", ["director", "manager_h", "supervisor_h", "salesperson_h"])
def test_each_role_signs_in_and_is_who_they_are(platform: Platform, browser: Browser, username: str) -> None:
    tokens = signed_in(platform, browser, username)
    headers = {"Authorization": f"Bearer {tokens['access_token']}"}
    me = httpx.get(f"{platform.url}/v1/me", headers=headers).json()
    assert (me["username"], [grant["roleName"] for grant in me["grants"]]) == (username, [ROLE_NAMES[username]])


ROLE_NAMES = {"director": "总监", "manager_h": "经理", "supervisor_h": "主管", "salesperson_h": "业务员"}


def test_the_documentation_page_works_without_the_internet(platform: Platform, browser: Browser) -> None:
    with browser.new_context(locale="zh-CN") as context:
        page = context.new_page()
        foreign: list[str] = []
        page.on("request", lambda request: foreign.append(request.url) if platform.url not in request.url else None)
        page.goto(platform.url)
        page.wait_for_selector(".opblock-tag")
        assert foreign == []
