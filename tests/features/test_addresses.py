"""What one row of a contact point says of the debtor's others: withdrawn consent, a number that may be a child's, an unconfirmed one."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from data.times import NEVER, to_us
from data.vocabulary import POINT_KINDS
from features.debtor_tables import points_of
from features.tables import ContactPoints
from tests.portfolios import CHANNELS
from tests.samples import moment, rows_to_table

Row = dict[str, Any]
GIVEN: Row = {
    "debtor_id": "d1", "channel": "sms", "valid_from": moment(1, 5), "verified": True, "consent": "given",
    "address_key": "a", "kind": "private",
}  # fmt: skip
LATER = moment(3, 1)


def read(*rows: Row) -> ContactPoints:
    """Points of d1 and d2 as their histories hold them."""
    return points_of(rows_to_table("contact_points", list(rows)), pa.array(["d1", "d2"]), CHANNELS)


def first_withdrawn(*changes: Row) -> datetime | None:
    """From when on the consent of the given row is withdrawn; rows that differ from it as told stand beside it."""
    found = read(GIVEN, *(GIVEN | {"valid_from": LATER, "consent": "withdrawn"} | one for one in changes))
    (own,) = np.flatnonzero((found.valid_from_us == to_us(GIVEN["valid_from"])) & (found.verified_us == 0))[:1]
    us = int(found.withdrawn_us[own])
    return None if us == NEVER else moment(1, 1) + timedelta(microseconds=us - to_us(moment(1, 1)))


@pytest.mark.parametrize(
    ("withdrawal", "since"),
    [
        ({}, LATER),
        ({"valid_from": GIVEN["valid_from"]}, GIVEN["valid_from"]),
        ({"valid_to": moment(3, 2)}, LATER),  # the end of a period gives no consent again
        ({"kind": None, "verified": False}, LATER),
        ({"address_key": None}, LATER),
        ({"address_key": "b"}, None),
        ({"channel": "email"}, None),
        ({"debtor_id": "d2"}, None),
        ({"valid_from": moment(1, 4)}, None),  # the given row is the later word
    ],
)
def test_a_withdrawal_holds_for_earlier_rows_of_the_address_from_its_own_beginning_on(
    withdrawal: Row, since: datetime | None
) -> None:
    assert first_withdrawn(withdrawal) == since


def test_of_two_withdrawals_the_first_holds_and_a_given_row_between_does_not_bring_the_old_one_back() -> None:
    again = {"consent": "given", "valid_from": moment(3, 5)}
    assert first_withdrawn({"valid_from": moment(4, 1)}, again, {}) == LATER


def test_a_row_without_a_key_is_shut_by_a_withdrawal_of_any_address_of_the_channel() -> None:
    found = read(GIVEN | {"address_key": None}, GIVEN | {"valid_from": LATER, "consent": "withdrawn"})
    assert found.withdrawn_us.tolist() == [to_us(LATER)] * 2


def withdrawn_then(*later: Row) -> list[bool]:
    """Whether consent for each row after a withdrawal is ever withdrawn, in order of time."""
    rows = [GIVEN, GIVEN | {"valid_from": LATER, "consent": "withdrawn"}, *(GIVEN | one for one in later)]
    return (read(*rows).withdrawn_us[2:] < NEVER).tolist()


@pytest.mark.parametrize(
    ("later", "withdrawn"),
    [
        ([{"valid_from": moment(3, 2)}], [False]),
        ([{"valid_from": moment(3, 2), "consent": "not_required"}], [True]),
        ([{"valid_from": moment(3, 2), "consent": "not_required", "address_key": "b"}], [False]),
        ([{"valid_from": moment(3, 2), "consent": "not_required", "address_key": None}], [False]),
        ([{"valid_from": moment(3, 2)}, {"valid_from": moment(3, 3), "consent": "not_required"}], [False, False]),
        (
            [{"valid_from": moment(3, 2), "address_key": "b"}, {"valid_from": moment(3, 3), "consent": "not_required"}],
            [False, True],
        ),
    ],
    ids=["given", "not required", "another address", "no key", "given, then not required", "given for another"],
)
def test_only_a_later_row_that_gives_consent_takes_a_withdrawal_back(later: list[Row], withdrawn: list[bool]) -> None:
    assert withdrawn_then(*later) == withdrawn


@pytest.mark.parametrize("kind", ["work", "shared", "may_be_childs"])
@pytest.mark.parametrize("own", ["private", None])
@pytest.mark.parametrize("key", ["a", None])
def test_a_later_row_that_is_not_private_makes_the_earlier_one_so(kind: str, own: str | None, key: str | None) -> None:
    found = read(GIVEN | {"kind": own}, GIVEN | {"valid_from": LATER, "kind": kind, "address_key": key})
    assert (found.other_us[0], POINT_KINDS[found.other_kind[0]]) == (to_us(LATER), kind)
    assert (found.other_us[1], found.other_kind[1]) == (NEVER, -1)


@pytest.mark.parametrize(
    ("later", "kind"),
    [({"kind": None}, "work"), ({"kind": "private"}, None), ({"kind": None, "address_key": None}, None)],
)
def test_a_later_row_without_a_kind_is_what_was_said_last_under_its_key(later: Row, kind: str | None) -> None:
    found = read(GIVEN | {"kind": "work"}, GIVEN | {"valid_from": LATER} | later)
    told = POINT_KINDS[found.other_kind[1]] if found.other_us[1] <= to_us(LATER) else None
    assert told == kind


@pytest.mark.parametrize(
    ("own", "later", "doubted"),
    [
        ({}, {"verified": False}, LATER),
        ({}, {"verified_at": moment(3, 9)}, LATER),
        ({"verified_at": moment(1, 7)}, {"verified": False}, LATER),
        ({"verified_at": moment(3, 9)}, {"verified": False}, None),  # confirmed after the row that was not
        ({}, {}, None),
        ({}, {"verified_at": LATER}, None),
        ({}, {"verified": False, "address_key": "b"}, None),
        ({}, {"verified": False, "address_key": None}, None),
        ({"address_key": None}, {"verified": False, "address_key": None}, None),
        ({}, {"verified": False, "channel": "phone"}, None),
        ({}, {"verified": False, "debtor_id": "d2"}, None),
    ],
)
def test_an_unconfirmed_row_ends_the_confirmation_of_earlier_rows_with_its_key(
    own: Row, later: Row, doubted: datetime | None
) -> None:
    found = read(GIVEN | own, GIVEN | {"valid_from": LATER} | later)
    assert found.doubted_us[0] == (NEVER if doubted is None else to_us(doubted))


def test_rows_that_say_nothing_against_any_address_are_left_as_they_are() -> None:
    found = read(GIVEN, GIVEN | {"valid_from": LATER}, GIVEN | {"debtor_id": "d2", "consent": "not_required"})
    for column in (found.withdrawn_us, found.doubted_us, found.other_us):
        assert column.tolist() == [NEVER] * 3


def test_the_order_of_the_rows_in_the_table_does_not_matter() -> None:
    rows = [
        GIVEN | {"valid_from": moment(month, day), "consent": consent, "address_key": key, "kind": kind}
        for month, day, consent, key, kind in (
            (1, 5, "given", "a", "private"), (2, 1, "withdrawn", "b", None), (2, 2, "not_required", "b", "shared"),
            (2, 3, "given", None, None), (3, 1, "withdrawn", "a", "private"), (3, 5, "not_required", "a", None),
        )
    ]  # fmt: skip
    expected = read(*rows)
    for seed in range(5):
        order = np.random.default_rng(seed).permutation(len(rows)).tolist()
        for column, wanted in zip(read(*(rows[row] for row in order)), expected, strict=True):
            np.testing.assert_array_equal(column, wanted)
