"""Managers in a browser: signing in and out, cookies, forms' tokens, tries that are too many."""

import re
import sqlite3
from datetime import timedelta
from statistics import median
from time import perf_counter

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from serving.access.login import router
from serving.access.passwords import PasswordCost, WeakPassword, hash_password, is_password
from serving.access.rates import RateLimits
from serving.access.refusals import NotAdmitted
from serving.access.sessions import SignIn, sign_in
from serving.access.settings import AccessSettings
from tests.serving.access.doors import CHEAP, NOW, PASSWORD, csrf_in, doors

FORM = "application/x-www-form-urlencoded"
OTHER = "not the four words"


@pytest.fixture
def anna(guarded):
    """Doors that know a manager."""
    guarded.add_manager()
    return guarded


def cookie(answer, name="__Host-rettid"):
    (found,) = [one for one in answer.headers.get_list("set-cookie") if one.startswith(f"{name}=")]
    return found


def test_a_manager_signs_in_and_reads_the_reports(anna):
    answer = anna.sign_in()
    assert (answer.status_code, answer.headers["location"]) == (303, "/reports")
    assert anna.client.get("/reports").json()["role"] == "manager"
    assert anna.client.get("/v1/decisions/d1").json()["tenant"] == "north"


def test_two_session_cookies_in_one_call_are_refused(anna):
    session = cookie(anna.sign_in()).partition(";")[0]
    browser = anna.another_browser()
    for twice in (f"{session}; {session}", f"__Host-rettid={'A' * 43}; {session}", f"{session}; __Host-rettid=x"):
        assert browser.get("/reports", headers={"Cookie": twice}).status_code == 401
    assert browser.get("/reports", headers={"Cookie": f"other=x; {session}"}).status_code == 200


def test_a_session_makes_no_call_but_a_browsers(anna):
    anna.sign_in()
    assert anna.client.post("/v1/events").status_code == 401
    assert anna.client.get("/metrics").status_code == 401


def test_the_sessions_cookie_is_bound_to_host_https_and_site_and_out_of_reach_of_scripts(anna):
    given = cookie(anna.sign_in()).lower()
    for part in ("; secure", "; httponly", "; samesite=strict", "; path=/", "; max-age=28800"):
        assert part in given
    assert "domain" not in given


def test_over_plain_http_on_loopback_the_cookie_goes_without_what_needs_https(tmp_path):
    with doors(tmp_path, secure_cookies=False) as found:
        found.add_manager()
        plain = TestClient(found.client.app, base_url="http://127.0.0.1", follow_redirects=False)
        given = cookie(found.sign_in(client=plain), "rettid").lower()
        assert "secure" not in given
        assert "httponly" in given
        assert plain.get("/reports").status_code == 200


@pytest.mark.parametrize(("user", "password"), [("anna", OTHER), ("bert", PASSWORD), ("ANNA", PASSWORD), ("", "")])
def test_a_wrong_user_and_a_wrong_password_get_the_same_page(anna, user, password):
    pages = [anna.sign_in("anna", OTHER), anna.sign_in(user, password)]
    without_token = [re.sub('value="[0-9a-f]{64}"', "", page.text) for page in pages]
    assert [page.status_code for page in pages] == [401, 401]
    assert without_token[0] == without_token[1]
    assert 'role="alert"' in without_token[0]
    assert not any("__Host-rettid=" in one for page in pages for one in page.headers.get_list("set-cookie"))


def test_an_unknown_user_takes_as_long_as_a_wrong_password(tmp_path):
    cost = PasswordCost(n=2**12, r=8, p=1)
    with doors(tmp_path, rates=RateLimits(failures_of_user=1_000, failures_of_address=1_000)) as found:
        found.add_manager()

        def took(user: str) -> float:
            start = perf_counter()
            assert sign_in(SignIn(user, OTHER, "a"), access=found.access, now=NOW) is None
            return perf_counter() - start

        pairs = [(took("anna"), took("bert")) for _ in range(50)]
        known, unknown = (median(one) for one in zip(*pairs, strict=True))
        assert abs(known - unknown) < 0.005
    start = perf_counter()
    assert not is_password(OTHER, None, cost=cost)
    assert perf_counter() - start > 0.001  # the work of scrypt is done, although there is nothing to compare with


def test_a_disabled_manager_is_out_within_a_second_and_stays_out(anna):
    anna.sign_in()
    anna.store.disable_manager("anna", at=anna.clock())
    anna.clock.advance(seconds=1)
    assert anna.client.get("/reports").status_code == 401
    assert anna.sign_in().status_code == 401


def test_a_session_ends_after_eight_hours_however_much_it_is_used(anna):
    anna.sign_in()
    for _ in range(7):
        anna.clock.advance(hours=1)
        assert anna.client.get("/reports").status_code == 200
    anna.clock.advance(hours=1, microseconds=-1)
    assert anna.client.get("/reports").status_code == 200
    anna.clock.advance(microseconds=1)
    assert anna.client.get("/reports").status_code == 401


def test_a_dump_of_the_store_holds_no_session_no_form_token_and_no_password(anna, tmp_path):
    token = cookie(anna.sign_in()).partition("=")[2].partition(";")[0]
    csrf = csrf_in(anna.client.get("/reports").json()["form"])
    dump = "\n".join(sqlite3.connect(tmp_path / "access.db").iterdump())
    assert len(token) == 43
    assert len(csrf) == 64
    for secret in (token, csrf, token.encode().hex(), csrf.encode().hex(), PASSWORD):
        assert secret.lower() not in dump.lower()


def test_signing_in_gives_a_new_session_whatever_cookie_came_along(anna):
    fixed = "A" * 43
    form = anna.client.get("/login", headers={"Cookie": f"__Host-rettid={fixed}"})
    own = cookie(form, "__Host-rettid-form").partition(";")[0]
    fields = {"user": "anna", "password": PASSWORD, "csrf": csrf_in(form.text)}
    browser = anna.another_browser()
    answer = browser.post("/login", data=fields, headers={"Cookie": f"{own}; __Host-rettid={fixed}"})
    assert answer.status_code == 303
    assert fixed not in cookie(answer)
    assert anna.another_browser().get("/reports", headers={"Cookie": f"__Host-rettid={fixed}"}).status_code == 401


def test_signing_in_again_ends_the_session_before(anna):
    first = cookie(anna.sign_in()).partition(";")[0]
    second = cookie(anna.sign_in()).partition(";")[0]
    assert first != second
    browser = anna.another_browser()
    assert browser.get("/reports", headers={"Cookie": first}).status_code == 401
    assert browser.get("/reports", headers={"Cookie": second}).status_code == 200


@pytest.mark.parametrize("csrf", ["", "0" * 64, "é", "other's"])
def test_a_sign_in_form_of_somebody_else_is_refused(anna, csrf):
    anna.form()
    given = anna.form(anna.another_browser()) if csrf == "other's" else csrf
    answer = anna.client.post("/login", data={"user": "anna", "password": PASSWORD, "csrf": given})
    assert answer.status_code == 403
    assert not any("__Host-rettid=" in one for one in answer.headers.get_list("set-cookie"))


def test_a_sign_in_form_without_its_cookie_is_refused(anna):
    csrf = anna.form()
    fields = {"user": "anna", "password": PASSWORD, "csrf": csrf}
    assert anna.another_browser().post("/login", data=fields).status_code == 403


def test_signing_out_ends_the_session_at_once_and_takes_its_cookie(anna):
    session = cookie(anna.sign_in()).partition(";")[0]
    csrf = csrf_in(anna.client.get("/reports").json()["form"])
    answer = anna.client.post("/logout", data={"csrf": csrf})
    assert (answer.status_code, answer.headers["location"]) == (303, "/login")
    assert "max-age=0" in cookie(answer).lower()
    assert anna.another_browser().get("/reports", headers={"Cookie": session}).status_code == 401


@pytest.mark.parametrize("csrf", ["", "0" * 64, "ø", "other's"])
def test_signing_out_takes_the_token_of_this_very_session(anna, csrf):
    anna.sign_in()
    browser = anna.another_browser()
    anna.sign_in(client=browser)
    given = csrf_in(browser.get("/reports").json()["form"]) if csrf == "other's" else csrf
    answer = anna.client.post("/logout", data={"csrf": given})
    assert (answer.status_code, answer.json()["type"]) == (403, "urn:rettid:problem:csrf")
    assert anna.client.get("/reports").status_code == 200


def test_signing_out_without_the_token_is_refused(anna):
    anna.sign_in()
    assert anna.client.post("/logout", data={"other": "x"}).status_code == 422
    assert anna.client.get("/reports").status_code == 200


def test_signing_out_takes_a_session_whatever_the_application_around_asks(anna):
    app = FastAPI()
    app.state.access = anna.access
    app.include_router(router)
    with TestClient(app) as client, pytest.raises(NotAdmitted, match="no key or session"):
        client.post("/logout", data={"csrf": "x"})


def test_a_key_is_shown_no_form_to_sign_out(anna):
    anna.sign_in()
    answer = anna.client.get("/reports", headers={"Authorization": f"Bearer {anna.key('manager')}"})
    assert answer.json()["form"] == ""


def test_a_browser_without_a_session_is_led_to_the_sign_in_page_and_a_program_is_not(anna):
    led = anna.client.get("/reports", headers={"Accept": "text/html"})
    assert (led.status_code, led.headers["location"]) == (303, "/login")
    assert anna.client.get("/reports", headers={"Accept": "*/*"}).status_code == 401
    keyed = {"Accept": "text/html", "Authorization": "Bearer x"}
    assert anna.client.get("/reports", headers=keyed).status_code == 401
    assert anna.client.get("/v1/decisions/d1", headers={"Accept": "text/html"}).status_code == 401


def test_after_ten_failures_a_user_waits_even_with_the_right_password(anna):
    assert {anna.sign_in(password=OTHER).status_code for _ in range(10)} == {401}
    answer = anna.sign_in()
    assert answer.status_code == 429
    assert 0 < int(answer.headers["Retry-After"]) <= 900
    anna.clock.advance(minutes=15)
    assert anna.sign_in().status_code == 303


def test_an_unknown_user_waits_just_as_long(anna):
    assert [anna.sign_in("bert", OTHER).status_code for _ in range(11)] == [401] * 10 + [429]


def test_an_address_waits_whichever_users_it_tries(tmp_path):
    with doors(tmp_path, rates=RateLimits(failures_of_address=5)) as found:
        found.add_manager()
        assert {found.sign_in(f"user{number}", OTHER).status_code for number in range(5)} == {401}
        assert found.sign_in().status_code == 429
        elsewhere = SignIn("anna", PASSWORD, "192.0.2.7")
        assert sign_in(elsewhere, access=found.access, now=found.clock()) is not None


def test_those_who_sign_in_rightly_are_not_counted(anna):
    assert {anna.sign_in().status_code for _ in range(60)} == {303}


def test_more_passwords_at_once_than_there_are_cores_for_are_put_off(anna):
    wish = SignIn("anna", PASSWORD, "a")
    with anna.access.passwords, anna.access.passwords, pytest.raises(NotAdmitted, match="more calls than the limit"):
        sign_in(wish, access=anna.access, now=NOW)
    assert sign_in(wish, access=anna.access, now=NOW) is not None


def test_failed_sign_ins_are_kept_without_what_was_typed(anna):
    anna.sign_in(password=OTHER)
    anna.sign_in("my-password-in-the-wrong-field", OTHER)
    anna.sign_in()
    found = [(event.event, event.subject.split(" ")[0]) for event in anna.store.events()]
    assert found == [
        ("manager-added", "anna"),
        ("sign-in-failed", "anna"),
        ("sign-in-failed", "unknown"),
        ("signed-in", "anna"),
    ]


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"user=a", FORM, 422),
        (b"", FORM, 422),
        (b"user=a&user=b&csrf=c", FORM, 422),
        (b"user=a&password=b&csrf=c&more=d", FORM, 422),
        (b"user=%ff&password=b&csrf=c", FORM, 422),
        ("user=æ&password=b&csrf=c".encode(), FORM, 422),
        (b"user=a&password=" + b"b" * 5_000 + b"&csrf=c", FORM, 413),
        (b'{"user": "a"}', "application/json", 415),
        (b"user=a&password=b&csrf=c", "text/plain", 415),
        (b"user=a&password=b&csrf=c", "multipart/form-data; boundary=x", 415),
        (b"user=a%00&password=b&csrf=c", FORM, 403),
    ],
)
def test_what_is_not_the_form_is_refused(anna, body, kind, status):
    anna.form()
    assert anna.client.post("/login", content=body, headers={"Content-Type": kind}).status_code == status


def test_a_user_that_no_name_could_be_is_only_not_right(anna):
    assert anna.sign_in("a\x00b' OR 1=1 --" * 20, OTHER).status_code == 401
    assert anna.sign_in("anna", "\x00" * 300).status_code == 401


def test_the_page_runs_nothing_and_fetches_nothing(anna):
    page = anna.client.get("/login")
    policy = page.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert "script" not in page.text
    assert "://" not in page.text
    assert page.headers["Cache-Control"] == "no-store"


def test_the_page_can_be_read_aloud_and_in_the_dark(anna):
    page = anna.client.get("/login").text
    assert '<html lang="en">' in page
    assert "color-scheme:light dark" in page
    for field in ("user", "password"):
        assert f'<label for="{field}">' in page
        assert f'id="{field}"' in page
    assert 'autocomplete="current-password"' in page


def test_a_password_is_kept_with_its_own_salt_and_its_parameters_names():
    kept = [hash_password(PASSWORD, CHEAP) for _ in range(2)]
    assert kept[0] != kept[1]
    assert kept[0].startswith("scrypt$n=16,r=1,p=1$")
    assert all(is_password(PASSWORD, one, cost=CHEAP) for one in kept)
    assert not is_password(OTHER, kept[0], cost=CHEAP)


def test_a_password_kept_at_another_cost_is_still_good():
    assert is_password(PASSWORD, hash_password(PASSWORD, PasswordCost(n=32, r=2, p=1)), cost=CHEAP)


def test_the_usual_cost_is_one_that_owasp_advises():
    assert AccessSettings().password_cost == PasswordCost(n=2**15, r=8, p=3)


@pytest.mark.parametrize("password", ["", "eleven char", "x" * 257])
def test_a_password_that_is_too_short_or_too_long_is_not_taken(password):
    with pytest.raises(WeakPassword, match="expected 12 to 256 characters"):
        hash_password(password, CHEAP)


def test_sessions_that_have_run_out_are_forgotten_when_somebody_signs_in(anna, tmp_path):
    anna.sign_in()
    anna.clock.advance(hours=9)
    anna.sign_in(client=anna.another_browser())
    direct = sqlite3.connect(tmp_path / "access.db")
    assert direct.execute("SELECT count(*) FROM sessions").fetchone() == (1,)
    direct.close()
    assert timedelta(hours=AccessSettings().session_hours) == timedelta(hours=8)
