"""Ready, reports, settings, and what the service must not import."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy.exc import OperationalError

from data.portfolio import Portfolio
from models.bundle import NoChampion
from serving.app import create_app
from serving.counter import Counter
from serving.models_in_use import ModelsInUse
from serving.ready import probes_of
from serving.run import app_from_environment, serve
from serving.settings import BadServiceSettings, ServiceSettings, from_environment
from serving.telemetry.draining import Draining
from serving.tenants import Parts
from tests.samples import moment
from tests.small_service import (
    FakeClock,
    decision_row,
    decision_table,
    promote,
    signed_client,
    small_bundle,
    small_tables,
)

ROOT = Path(__file__).resolve().parents[2]


def test_ready_names_the_model_in_use(service):
    ready = service.client.get("/readyz").json()
    assert (ready["status"], ready["model_version"], ready["notices"]) == ("ready", "rates-1", [])
    assert all(check["ok"] for check in ready["checks"])


@pytest.fixture
def refused(service):
    """Settings of a service whose own Swedish pack cannot be read."""
    (service.workspace / "rules").mkdir()
    (service.workspace / "rules" / "SE.toml").write_text("country = ", encoding="utf-8")
    return ServiceSettings(service.workspace, portfolio=service.portfolio, warm_up=False)


def test_a_refused_pack_is_told_of_by_the_ready_service_which_contacts_nobody_there(refused):
    with signed_client(refused, clock=FakeClock()) as client:
        ready = client.get("/readyz")
        assert ready.status_code == 200
        (notice,) = ready.json()["notices"]
        assert notice.startswith("SE: refused: SE.toml is not TOML")
        assert client.post("/v1/next-best-action", json={"debtor_id": "s1"}).json()["channel"] == "none"


@pytest.mark.parametrize("workers", [1, 2])
def test_a_refused_pack_is_told_of_on_the_terminal_when_the_service_starts(refused, workers, monkeypatch, capsys):
    settings = replace(refused, workers=workers)
    if workers == 1:
        monkeypatch.setattr("serving.run.uvicorn.run", lambda app, **_: app.state.tenants["main"].service.log.close())
        serve(settings)
    else:  # each worker makes its own application from the environment
        for name, text in settings.to_environment().items():
            monkeypatch.setenv(name, text)
        app_from_environment().state.tenants["main"].service.log.close()
    told = capsys.readouterr()
    assert told.err.startswith("SE: refused: SE.toml is not TOML")
    assert told.out == ""


def test_a_promoted_model_is_used_from_the_next_decision_on(service):
    assert service.ask()["model_version"] == "rates-1"
    promote(service.workspace, small_bundle(Portfolio.from_tables(small_tables()), "rates-2"))
    assert service.ask(replace=True)["model_version"] == "rates-2"
    assert service.client.get("/readyz").json()["model_version"] == "rates-2"


def test_a_broken_bundle_leaves_the_last_good_one_in_use(service):
    service.ask()
    promote(service.workspace, small_bundle(Portfolio.from_tables(small_tables()), "rates-2"))
    (service.workspace / "models" / "rates-2" / "rates.json").write_text("{}", encoding="utf-8")
    assert service.ask(replace=True)["model_version"] == "rates-1"


def test_without_any_good_bundle_there_is_no_champion(tmp_path):
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "champion.json").write_text("{", encoding="utf-8")
    with pytest.raises(NoChampion, match="no champion can be loaded"):
        ModelsInUse(tmp_path).current()


class FullDisk:
    """A log that takes nothing any more."""

    def writing(self):
        raise OperationalError("INSERT", {}, Exception("database or disk is full"))

    reading = writing

    def close(self):
        """Nothing is open."""

    def beat(self, at):
        self.writing()


def test_without_the_log_nobody_is_contacted(service):
    tenants = service.client.app.state.tenants
    tenants["main"] = replace(
        tenants["main"], counter=Counter(replace(tenants["main"].service, log=FullDisk()), patience_s=60)
    )
    told = service.ask()
    assert (told["channel"], told["degraded"], told["decision_id"], told["claims"]) == ("none", True, None, [])
    answers = service.client.post("/v1/next-best-actions", json={"requests": [{"debtor_id": "s1"}]}).json()["answers"]
    assert [(one["result"]["channel"], one["result"]["degraded"]) for one in answers] == [("none", True)]


def test_a_log_that_cannot_be_written_is_not_ready_and_acknowledges_nothing(service):
    tenants = service.client.app.state.tenants
    working = tenants["main"]
    broken = Counter(replace(working.service, log=FullDisk()), patience_s=60)
    tenants["main"] = replace(working, counter=broken)
    app = service.client.app
    kept, telemetry = app.state.probes["main"], app.state.telemetry
    app.state.probes["main"] = probes_of(tenants["main"], telemetry, Draining())
    unready = service.client.get("/readyz")
    assert (unready.status_code, unready.json()["status"]) == (503, "not ready")
    assert [one["name"] for one in unready.json()["checks"] if not one["ok"]] == ["store_writable"]
    row = {"claim_id": "k1", "at": "2026-03-01T00:00:00Z", "kind": "inbound"}
    event = {"event_id": "e1", "table": "claim_events", "row": row}
    for answer in (
        service.client.post("/v1/events", json=event),
        service.client.post("/v1/events", json=event, headers={"Idempotency-Key": "k"}),
        service.client.post(
            "/v1/next-best-actions", json={"requests": [{"debtor_id": "s1"}]}, headers={"Idempotency-Key": "k"}
        ),
    ):
        assert answer.status_code == 503
        assert answer.json()["type"] == "urn:rettid:problem:log-unavailable"
        assert answer.headers["retry-after"]
    assert service.client.get("/healthz").status_code == 200
    tenants["main"], app.state.probes["main"] = working, kept
    assert service.client.get("/readyz").status_code == 200
    assert service.client.post("/v1/events", json=event).json()["duplicate"] is False


def test_reports_are_listed_and_shown(service):
    folder = service.workspace / "reports"
    assert "No report has been written yet" in service.client.get("/reports").text
    folder.mkdir()
    (folder / "overview.html").write_text("<h1>gain</h1>", encoding="utf-8")
    (folder / "Bad Name.html").write_text("hidden", encoding="utf-8")
    (service.workspace / "secret.html").write_text("secret", encoding="utf-8")
    (folder / "link.html").symlink_to(service.workspace / "secret.html")
    page = service.client.get("/reports")
    assert page.headers["content-type"].startswith("text/html")
    assert '<a href="/reports/overview">' in page.text
    assert "Bad Name" not in page.text
    for name in ("overview", "overview.html"):
        assert service.client.get(f"/reports/{name}").text == "<h1>gain</h1>"


@pytest.mark.parametrize(
    "name",
    ["..%2fsecret", "%2e%2e%2fsecret.html", "link", "overview.json", "a" * 65, "A", "a%00", "..", "a%5cb", "%ef%bc%8f"],
)
def test_only_pages_in_the_folder_itself_are_shown(service, name):
    folder = service.workspace / "reports"
    folder.mkdir()
    (service.workspace / "secret.html").write_text("secret", encoding="utf-8")
    (folder / "link.html").symlink_to(service.workspace / "secret.html")
    answer = service.client.get(f"/reports/{name}")
    assert answer.status_code in (404, 405)
    assert "secret" not in answer.text


def test_the_base_portfolio_is_that_of_the_last_batch_where_none_is_named(service):
    log = service.client.app.state.tenants["main"].service.log
    log.write_batch(
        decision_table(decision_row(1)), portfolio=service.portfolio, as_of=moment(3, 1), config_fingerprint="c"
    )
    app = create_app(ServiceSettings(service.workspace), clock=FakeClock())
    assert app.state.tenants["main"].service.base.size == 4
    app.state.tenants["main"].service.log.close()


def test_without_a_portfolio_the_service_knows_what_it_is_told(tmp_path):
    app = create_app(ServiceSettings(tmp_path / "new"), clock=FakeClock(), parts=Parts())
    assert app.state.tenants["main"].service.base.size == 0
    app.state.tenants["main"].service.log.close()


@pytest.mark.parametrize("text", [None, "{", "[]", "{}", '{"workspace": "w", "colour": 1}'])
def test_settings_that_cannot_be_read_are_refused(text):
    with pytest.raises(BadServiceSettings, match="RETTID_SERVICE"):
        from_environment({} if text is None else {"RETTID_SERVICE": text})


def test_settings_survive_the_environment():
    settings = ServiceSettings(Path("w"), portfolio=Path("p"), port=1, workers=3)
    assert from_environment(settings.to_environment()) == settings


def test_serving_neither_learns_nor_loads_what_learning_needs():
    # LightGBM itself loads pandas and scikit-learn where they are installed; import-linter watches our own imports.
    script = (
        "import sys, serving.run, serving.nightly\n"
        "heavy = {'training', 'mlflow', 'polars', 'duckdb', 'shap', 'optuna', 'altair'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    found = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_the_nightly_batch_does_without_the_web():
    script = "import sys, serving.nightly; print('fastapi' in sys.modules)"
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    found = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True, env=env
    )
    assert found.stdout.strip() == "False"


def test_a_method_that_an_address_does_not_take_names_all_that_it_does(service):
    answer = service.client.put("/login")
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, POST")
