"""Which creditors a caller sees: of decisions, and of report pages."""

import json

import pytest

from serving.access.caller import ANYONE, Caller, sees
from serving.access.report_access import BadManifest, read_manifest, seen_reports
from tests.serving.access.doors import NOW, asked

ALL = Caller("north", "manager", "0a1b2c3d")
ENERGY = Caller("north", "manager", "0a1b2c3d", frozenset({"k-energy", "k-water"}))


@pytest.mark.parametrize(
    ("creditors", "seen"),
    [
        ([], False),
        (["k-energy"], True),
        (["k-energy", "k-water"], True),
        (["k-energy", "k-phone"], False),
        (["k-phone"], False),
        (["K-ENERGY"], False),
    ],
)
def test_a_manager_sees_what_concerns_their_creditors_alone(creditors, seen):
    assert sees(ENERGY, creditors) is seen
    assert sees(ALL, creditors)
    assert not sees(ANYONE, creditors)


def test_a_page_is_seen_by_managers_of_its_creditors_and_one_without_an_entry_by_those_who_see_all(tmp_path):
    said = {"energy": {"creditors": ["k-energy"]}, "phone": {"creditors": ["k-phone"]}, "all": {"creditors": None}}
    (tmp_path / "manifest.json").write_text(json.dumps(said), encoding="utf-8")
    manifest, names = read_manifest(tmp_path), ["all", "energy", "energy.html", "new", "phone"]
    assert seen_reports(ENERGY, names, manifest) == ["energy", "energy.html"]
    assert seen_reports(ALL, names, manifest) == names


def test_without_a_manifest_only_those_who_see_all_see_a_page(tmp_path):
    assert seen_reports(ENERGY, ["uplift"], read_manifest(tmp_path)) == []
    assert seen_reports(ALL, ["uplift"], read_manifest(tmp_path)) == ["uplift"]


@pytest.mark.parametrize(
    "text", ["", "[]", '{"a": []}', '{"a": {}}', '{"a": {"creditors": "k-energy"}}', '{"a": null}']
)
def test_a_manifest_that_cannot_be_read_is_told_and_opens_nothing(tmp_path, text):
    (tmp_path / "manifest.json").write_text(text, encoding="utf-8")
    with pytest.raises(BadManifest, match=r"manifest\.json: expected"):
        read_manifest(tmp_path)


def test_a_key_and_a_session_bring_their_creditors_with_them(guarded):
    only = frozenset({"k-energy"})
    key = guarded.key("manager", creditors=only)
    call = ("GET", "/reports")
    found = asked({"Authorization": f"Bearer {key}"}, access=guarded.access, at=NOW, call=call)
    assert found == Caller("north", "manager", key[7:15], only)
    guarded.add_manager(creditors=only)
    session = guarded.sign_in().headers["set-cookie"].partition(";")[0]
    by_session = asked({"Cookie": session}, access=guarded.access, at=NOW, call=call)
    assert (by_session.creditors, by_session.role) == (only, "manager")
    assert by_session.key_id.startswith("session-")
