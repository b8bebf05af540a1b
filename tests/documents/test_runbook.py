"""The runbook explains exactly the alerts there are, and calls commands, sections, kinds and figures that exist."""

from __future__ import annotations

import re
import shlex
from typing import Any

import pytest
import yaml

from serving.problems import KINDS
from serving.telemetry.vocabulary import CHECKS, FALLBACKS
from tests.documents.markdown import ROOT
from tests.documents.test_commands import unknown
from tests.serving.telemetry.figures import everything, figures
from tests.serving.telemetry.watched import telemetry

PAGE = (ROOT / "docs" / "runbook.md").read_text()
ALERTS: list[dict[str, Any]] = yaml.safe_load((ROOT / "deploy" / "alerts.yaml").read_text())["groups"][0]["rules"]
NAMES = [alert["alert"] for alert in ALERTS]
PROMETHEUS = {"up"}


def section(heading: str) -> str:
    """The text under a heading, each stretch of white space one blank."""
    return " ".join(re.split(r"\n##", PAGE.split(f"\n{heading}\n")[1])[0].split())


def exposed() -> set[str]:
    """Every name that the service gives once everything has been told."""
    told = telemetry()
    everything(told, "sms")
    told.watch_queue(lambda: 0)
    names = {name.split("{")[0] for name in figures(told.text().decode())}
    return names | {name.removesuffix("_bucket") for name in names}


def test_the_runbook_explains_each_alert_and_no_other_in_the_same_order() -> None:
    explained = re.findall(r"^### (.*)$", PAGE, re.MULTILINE)
    assert sorted(explained) == sorted(NAMES)
    assert len(set(NAMES)) == len(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_of_each_alert_stands_what_it_means_how_bad_it_is_where_to_look_and_what_to_do(name: str) -> None:
    told = section(f"### {name}")
    assert "**Means.**" in told
    assert "**How bad.**" in told
    assert ("**Look at.**" in told and "**Do.**" in told) or "**Look at, do.**" in told


@pytest.mark.parametrize("alert", ALERTS, ids=NAMES)
def test_an_alert_is_as_grave_in_the_runbook_as_in_the_rules(alert: dict[str, Any]) -> None:
    said = section(f"### {alert['alert']}").split("**How bad.**")[1].strip()
    assert said.lower().startswith(alert["labels"]["severity"])


@pytest.mark.parametrize("alert", ALERTS, ids=NAMES)
def test_an_alert_asks_for_figures_that_the_service_gives(alert: dict[str, Any]) -> None:
    without_labels = re.sub(r"\{[^}]*\}", "", alert["expr"])
    asked = set(re.findall(r"\b(?:rettid_\w+|up)\b", without_labels))
    assert asked
    assert asked <= exposed() | PROMETHEUS


def test_the_kinds_of_fallback_that_alerts_ask_for_exist() -> None:
    kinds = {kinds for alert in ALERTS for kinds in re.findall(r'kind=~"([^"]*)"', alert["expr"])}
    assert kinds
    assert {kind for several in kinds for kind in several.split("|")} <= FALLBACKS


def test_figures_checks_and_kinds_that_the_runbook_names_exist() -> None:
    words = set(re.findall(r"`([^`\s{}]+)`", PAGE))
    assert {word for word in words if word.startswith("rettid_")} <= exposed()
    assert set(re.findall(r"`(\w+)`: ", section("### RettidNotReady"))) == CHECKS
    assert set(re.findall(r"`([\w-]+)`(?:: | is a)", section("### RettidErrors"))) <= set(KINDS)


def test_a_link_inside_the_page_points_to_one_of_its_headings() -> None:
    headings = {
        re.sub(r"[^a-z0-9 -]", "", found.lower()).replace(" ", "-")
        for found in re.findall(r"^#+ (.*)$", PAGE, re.MULTILINE)
    }
    assert set(re.findall(r"\]\(#([^)]+)\)", PAGE)) <= headings


@pytest.mark.parametrize("command", sorted({" ".join(c.split()) for c in re.findall(r"`(rettid [^`]+)`", PAGE)}))
def test_a_command_that_the_runbook_names_in_its_sentences_exists(command: str) -> None:
    assert unknown(shlex.split(command)[1:]) == []
