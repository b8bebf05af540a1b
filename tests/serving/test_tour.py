"""The tour in docs/service.md: each request is sent, each answer shown is given."""

import json
import re
from pathlib import Path

PAGE = Path(__file__).resolve().parents[2] / "docs" / "service.md"
STEP = re.compile(
    r"```http\n(?P<method>[A-Z]+) (?P<path>\S+)\n(?P<body>.*?)```\s+```json (?P<status>\d+)\n(?P<answer>.*?)```",
    re.DOTALL,
)


def shows(shown, given):
    """True where everything shown is given; `"..."` at the end of a list stands for more."""
    if isinstance(shown, dict):
        return isinstance(given, dict) and all(name in given and shows(shown[name], given[name]) for name in shown)
    if not isinstance(shown, list):
        return shown == given
    more = shown[-1:] == ["..."]
    shown = shown[:-1] if more else shown
    return (len(given) >= len(shown) if more else len(given) == len(shown)) and all(map(shows, shown, given))


def test_every_request_of_the_tour_is_answered_as_shown(service):
    text = PAGE.read_text()
    steps = list(STEP.finditer(text))
    assert len(steps) == text.count("```http") == text.count("```json")
    for step in steps:
        body = step["body"].encode()
        headers = {"Content-Type": "application/json"} if body else {}
        answer = service.client.request(step["method"], step["path"], content=body, headers=headers)
        assert answer.status_code == int(step["status"]), (step["path"], answer.text)
        assert shows(json.loads(step["answer"]), answer.json()), (step["path"], answer.text)


def test_what_is_not_given_is_not_shown():
    assert shows({"a": [1, "..."]}, {"a": [1, 2], "b": 3})
    assert not shows({"a": 1}, {})
    assert not shows([1], [1, 2])
    assert not shows({"a": [2, "..."]}, {"a": [1, 2]})
