"""The polite client against a server that misbehaves."""

from __future__ import annotations

import resource
import time
from dataclasses import replace
from email.utils import formatdate

import pytest
from bad_server import (
    QUICK,
    Reply,
    Server,
    bomb,
    busy,
    endless,
    endless_headers,
    hung_up,
    moved,
    silent,
    truncated,
)

from tfanime.collect import addresses, answers
from tfanime.collect import http as polite
from tfanime.collect.answers import FetchError
from tfanime.collect.http import Client, user_agent
from tfanime.collect.rate_limit import LONGEST_DELAY, Pace


def then(*replies):
    """A route that gives one reply after the other, and the last one again."""
    return lambda number, headers: replies[min(number, len(replies)) - 1]


def refusal(client, url, **options) -> FetchError:
    with pytest.raises(FetchError) as caught:
        client.get(url, **options)
    return caught.value


def test_an_answer_is_asked_for_once(server, open_client):
    url = server.page("/a", b"<p>hello")
    first, again = open_client().get(url), open_client().get(url)
    assert first.body == again.body == b"<p>hello"
    assert (first.cached, again.cached, first.kind) == (False, True, "text/html")
    assert server.asked() == ["/robots.txt", "/a"]


def test_what_is_gone_is_asked_for_once(server, open_client):
    for _ in range(2):
        error = refusal(open_client(), server.url + "/gone")
        assert (error.reason, error.passing) == ("status 404", False)
    assert server.asked() == ["/robots.txt", "/gone"]


def test_the_user_agent_tells_the_truth(server, open_client):
    open_client(contact="me@example.org").get(server.page("/", b""))
    agent = server.headers[-1]["User-Agent"]
    assert agent.startswith("tfanime/") and "me@example.org" in agent


@pytest.mark.parametrize("contact", ["nobody", "a@b.c\r\nX-Injected: 1", "a@b c", "é@b.c", "@"])
def test_a_contact_is_an_address(contact):
    with pytest.raises(ValueError, match="e-mail address or a web page"):
        user_agent(contact)


def test_robots_are_obeyed(server, open_client):
    rules = b"User-agent: *\nDisallow: /\nUser-agent: tfanime\nDisallow: /secret\n"
    server.page("/robots.txt", Reply(rules, kind="text/plain"))
    open_url, secret = server.page("/open", b"x"), server.page("/secret/a", b"x")
    client = open_client()
    assert client.get(open_url).body == b"x"
    assert refusal(client, secret).reason == "forbidden by robots.txt"
    server.page("/way", moved("/secret/a"))
    assert refusal(client, server.url + "/way").reason == "forbidden by robots.txt"
    assert "/secret/a" not in server.asked()


def test_robots_that_cannot_be_read_forbid(server, open_client):
    server.page("/robots.txt", busy(503))
    assert refusal(open_client(), server.page("/a", b"x")).passing
    assert "/a" not in server.asked()


def test_robots_may_ask_for_a_slower_pace(server, open_client):
    rules = b"User-agent: *\nCrawl-delay: 0.2\n"
    server.page("/robots.txt", Reply(rules, kind="text/plain"))
    client = open_client()
    for name in "abc":
        client.get(server.page(f"/{name}", b"x"))
    moments = [moment for moment, path in server.log if path != "/robots.txt"]
    assert all(b - a >= 0.2 for a, b in zip(moments, moments[1:], strict=False))


@pytest.mark.parametrize(
    "bad",
    [truncated(b"<p>hello" * 999), hung_up(), busy(503), busy(500), busy(429), silent()],
    ids=["truncated", "hung up", "503", "500", "429", "silent"],
)
def test_failures_that_pass_are_tried_again(server, open_client, bad):
    server.routes["/a"] = then(bad, bad, Reply(b"whole"))
    assert open_client().get(server.url + "/a").body == b"whole"
    assert server.asked("/robots.txt") == ["/a"] * 3


def test_attempts_end(server, open_client):
    url = server.page("/a", busy(503))
    error = refusal(open_client(), url)
    assert (error.reason, error.passing) == ("status 503", True)
    assert server.asked("/robots.txt") == ["/a"] * 3


@pytest.mark.parametrize("form", ["seconds", "date"])
def test_retry_after_holds_for_every_process(server, open_client, form):
    def wait(number, headers):
        if number > 1:
            return Reply(b"now")
        after = "1" if form == "seconds" else formatdate(time.time() + 2, usegmt=True)
        return busy(429, after)

    server.routes["/a"] = wait
    other = server.page("/b", b"x")
    other_client = open_client("other")
    other_client.get(server.page("/first", b"x"))
    assert open_client().get(server.url + "/a").body == b"now"
    moments = {}
    for moment, path in server.log:
        moments.setdefault(path, []).append(moment)
    assert moments["/a"][1] - moments["/a"][0] > 0.9
    # The pause is on disk: a client that did not see it keeps to it.
    other_client.pace.pause(addresses.place(other), 0.3)
    asked = time.time()
    open_client("third").get(other)
    assert server.log[-1][0] - asked >= 0.29


@pytest.mark.parametrize("after, told", [("7200", "7,[12]"), ("9" * 50, "21,[56]")])
def test_a_long_pause_is_told_and_not_waited_for(server, open_client, after, told):
    url = server.page("/a", busy(503, after))
    with pytest.raises(RuntimeError, match=told + r"\d\d seconds. Run the same command again"):
        open_client().get(url)
    assert server.asked("/robots.txt") == ["/a"]


@pytest.mark.parametrize("after", ["soon", "-1", "1.5", "9" * 5000, "Tue, 99 Foo 2020", ""])
def test_senseless_pauses_do_no_harm(server, open_client, after):
    server.routes["/a"] = then(busy(503, after), Reply(b"now"))
    assert open_client().get(server.url + "/a").body == b"now"


def test_a_site_that_is_down_ends_the_collection(server, open_client, monkeypatch):
    monkeypatch.setattr(polite, "REPEATED", 3)
    client = open_client()
    for number in range(2):
        refusal(client, server.page(f"/{number}", busy(503)))
    with pytest.raises(RuntimeError, match="seems to be down, .* run the same command again"):
        client.get(server.page("/2", busy(503)))


@pytest.mark.parametrize("code", [401, 403])
def test_refusals_pass(server, open_client, code):
    """A wall against robots refuses everything for a while; it is asked again the next time."""
    server.routes["/a"] = lambda n, headers: busy(code) if n <= 3 else Reply(b"open")
    error = refusal(open_client(), server.url + "/a")
    assert (error.reason, error.passing) == (f"status {code}", True)
    assert open_client().get(server.url + "/a").body == b"open"


@pytest.mark.parametrize("code", [401, 403])
def test_a_wall_of_refusals_ends_the_collection(server, open_client, code):
    client = open_client(limits=replace(QUICK, attempts=1))
    server.fallback = lambda path, number: busy(code)
    client.get(server.page("/stored", b"x"))
    for number in range(polite.REPEATED - 1):
        refusal(client, f"{server.url}/{number}")
        assert client.get(server.url + "/stored").cached  # says nothing about the wall
    with pytest.raises(RuntimeError, match="refuse programs: run the same command again"):
        client.get(server.url + "/last")


def test_a_refusal_that_an_earlier_version_stored_is_forgotten(server, open_client):
    server.routes["/a"] = then(busy(403), Reply(b"open"))
    old = open_client()
    old.session.settings.allowable_codes = (200, 403)
    old.session.get(server.url + "/a")
    assert open_client().get(server.url + "/a").body == b"open"
    assert open_client().get(server.url + "/a").cached


def test_robots_that_are_refused_allow(server, open_client):
    """RFC 9309, section 2.3.1.3; hosts of pictures often answer so."""
    server.page("/robots.txt", busy(403))
    assert open_client().get(server.page("/a", b"x")).body == b"x"
    assert server.asked() == ["/robots.txt", "/a"]


@pytest.mark.parametrize("asked", ["3600", "1e300", "999999999999", "inf", "nan", "-5"])
def test_a_crawl_delay_has_a_cap_and_says_so(server, open_client, asked, capsys, monkeypatch):
    waits = []
    monkeypatch.setattr(Pace, "wait", lambda self, host, least: waits.append(least))
    monkeypatch.setattr(Pace, "answered", lambda self, host, least: None)
    rules = f"User-agent: *\nCrawl-delay: {asked}\n".encode()
    server.page("/robots.txt", Reply(rules, kind="text/plain"))
    open_client().get(server.page("/a", b"x"))
    told = capsys.readouterr().err
    if asked in ("inf", "nan", "-5"):
        assert waits == [0, 0] and told == ""
    else:
        assert waits == [0, LONGEST_DELAY]
        assert "/robots.txt asks for" in told and "of which 60 are kept" in told


# ---- cookies -----------------------------------------------------------------------------------


def once_known(refusal: Reply, good: Reply = Reply(b"known")):  # noqa: B008
    return lambda number, headers: good if "seen=1" in headers.get("Cookie", "") else refusal


@pytest.mark.parametrize("keep", [True, False])
@pytest.mark.parametrize(
    "status, headers",
    [
        (429, {}),
        (403, {}),
        (503, {}),
        (302, {"Location": "/a"}),
        (302, {"Location": "/check"}),
        (307, {"Location": "/a?"}),
    ],
)
def test_cookies_come_back(server, open_client, status, headers, keep):
    cookie = {"Set-Cookie": "seen=1; Path=/"}
    back = Reply(status=302, headers={"Location": "/a", **cookie})
    server.page("/check", back)
    cookie = {} if headers.get("Location") == "/check" else cookie
    for path in ("/a", "/a?"):
        server.routes[path] = once_known(Reply(status=status, headers=headers | cookie))
    assert open_client().get(server.url + "/a", keep=keep).body == b"known"
    if keep:  # another process has no cookie, and needs none
        asked = len(server.log)
        assert open_client().get(server.url + "/a").body == b"known"
        assert len(server.log) == asked or headers.get("Location") == "/a?"


def test_a_circle_with_ever_new_cookies_ends(server, open_client):
    def another(number, headers):
        return Reply(status=302, headers={"Location": "/a", "Set-Cookie": f"n={number}"})

    server.routes["/a"] = another
    assert refusal(open_client(), server.url + "/a").reason == "redirect"
    assert len(server.asked("/robots.txt")) == QUICK.redirects + 1


def test_cookies_go_to_their_host_only(server, open_client):
    with Server() as other:
        client = open_client(own=(server.url, other.url))
        cookies = {"Set-Cookie": "here=1; Domain=127.0.0.1"}
        client.get(server.page("/a", Reply(b"x", headers=cookies)))
        client.get(server.page("/b", b"x"))
        foreign = other.page("/c", b"x").replace("127.0.0.1", "localhost")
        localhost = open_client("third", own=(foreign,))
        localhost.session.cookies.update(client.session.cookies)
        localhost.get(foreign)
        assert "here=1" in server.headers[-1]["Cookie"]
        assert "Cookie" not in other.headers[-1]


def test_cookies_take_no_room_without_end(server, open_client):
    def many(handler, stop):
        handler.send_response(200)
        for number in range(90):
            handler.send_header("Set-Cookie", f"n{server.log[-1][0]}-{number}=1")
        handler.send_header("Set-Cookie", "large=" + "x" * 5000)
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    client = open_client()
    for name in "abc":
        client.get(server.page(f"/{name}", Reply(send=many)))
    assert len(client.session.cookies) == 50
    assert "large" not in client.session.cookies


def test_redirects(server, open_client):
    server.page("/end", b"here")
    server.page("/old", moved("/newer", 301))
    url = server.page("/newer", moved("end"))
    assert open_client().get(server.url + "/old").url == server.url + "/end"
    assert open_client().get(url).body == b"here"
    assert server.asked("/robots.txt") == ["/old", "/newer", "/end"]


@pytest.mark.parametrize(
    "target, reason",
    [
        ("/around", "redirect"),
        ("/longer?x", "redirect"),
        ("http://example.org/", "foreign host"),
        ("//example.org/", "foreign host"),
        ("http://169.254.169.254/latest/meta-data/", "foreign host"),
        ("http://127.0.0.1:1/", "foreign host"),
        ("file:///etc/passwd", "foreign scheme"),
        ("ftp://example.org/", "foreign scheme"),
        ("http://user:secret@example.org/", "bad address"),
        ("http://[::1", "bad address"),
    ],
)
def test_redirects_that_are_not_followed(server, open_client, target, reason):
    server.page("/around", moved("/start"))
    server.fallback = lambda path, number: moved(path + "x")
    assert refusal(open_client(), server.page("/start", moved(target))).reason == reason


def test_private_hosts_are_not_asked():
    # localhost belongs to the "site" by name here, and is still private.
    with pytest.raises(ValueError, match="private host: localhost"):
        addresses.check("http://localhost/", ["localhost"])
    with pytest.raises(ValueError, match="private host"):
        addresses.check("http://10.1.2.3/", ["10.1.2.3"])
    addresses.check("http://localhost:8000/", [], own=["localhost:8000"])
    with pytest.raises(ValueError, match="foreign host"):
        addresses.check("http://evil-example.org/", ["example.org"])


@pytest.mark.parametrize(
    "reply, reason",
    [
        (None, "too large"),  # a bomb, not packed before it is needed
        (Reply(b"x" * 2_100_000), "too large"),
        (endless(0, b"x" * 100_000), "too large"),
        (endless(0.05, b"x"), "too slow"),
        (endless_headers(), "too slow"),
        (silent(), "too slow"),
        (Reply(b"x", kind="application/zip"), "wrong type"),
        (Reply(b"x", kind="image/png"), "wrong type"),
    ],
    ids=["bomb", "large", "endless", "drip", "headers", "silent", "zip", "picture"],
)
def test_limits(server, open_client, reply, reason):
    reply = reply or bomb(300)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    url = server.page("/a", reply)
    limits = replace(QUICK, attempts=1)
    if reason != "too slow":  # nor is it on a machine that stands still for a moment
        limits = replace(limits, silence=30.0, total=120.0)
    error = refusal(open_client(limits=limits), url)
    assert error.reason == reason
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < 50_000  # kilobytes; the bomb has 300,000


def test_pictures_are_told_by_their_type(server, open_client):
    url = server.page("/a.png", Reply(b"x", kind="image/png"))
    client = open_client()
    assert client.get(url, answers.PICTURES, keep=False).body == b"x"
    assert client.get(url, answers.PICTURES, keep=False).cached is False


def test_refreshing_asks_whether_it_changed(server, open_client):
    def route(number, headers):
        if headers.get("If-None-Match") == '"v1"':
            return Reply(status=304, headers={"ETag": '"v1"', "Content-Length": ""})
        return Reply(b"tagged", headers={"ETag": '"v1"'})

    server.routes["/a"] = route
    url = server.url + "/a"
    open_client().get(url)
    answer = open_client(refresh=True).get(url)
    assert answer.body == b"tagged" and answer.cached
    assert server.headers[-1]["If-None-Match"] == '"v1"'


def test_the_extra_is_named(monkeypatch, tmp_path):
    monkeypatch.setitem(__import__("sys").modules, "requests_cache", None)
    with pytest.raises(ImportError, match=r"pip install \"\.\[data\]\" in a checkout"):
        Client(tmp_path, ())
