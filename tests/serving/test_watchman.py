"""Figures that are looked at from time to time: models in use, promises against payments."""

from serving.watchman import tell_calibration, tell_models


def figures(service):
    text = service.client.get("/metrics").text
    return {line.split(" ")[0]: float(line.split(" ")[1]) for line in text.splitlines() if not line.startswith("#")}


def test_the_model_in_use_is_told(service):
    app = service.client.app
    tell_models(app.state.tenants["main"], app.state.telemetry)
    assert any('version="rates-1"' in name and value == 1 for name, value in figures(service).items())


def test_promises_are_held_against_payments_once_the_horizon_is_over(service):
    service.ask("s1")
    paid = {"payment_id": "p-1", "claim_id": "k1", "debtor_id": "s1", "amount": "10.00", "currency": "SEK"}
    service.clock.advance(days=2)
    service.tell("payments", **paid, paid_at=service.clock().isoformat())
    app = service.client.app
    tell_calibration(app.state.tenants["main"].service, app.state.telemetry)
    before = figures(service)
    assert [value for name, value in before.items() if "calibration_decisions" in name] in ([], [0.0])
    service.clock.advance(days=20)
    tell_calibration(app.state.tenants["main"].service, app.state.telemetry)
    after = figures(service)
    assert [value for name, value in after.items() if "calibration_decisions" in name] == [2.0]
    ratio = [value for name, value in after.items() if "calibration" in name and "decisions" not in name]
    assert ratio == [0.5 / 0.4]
