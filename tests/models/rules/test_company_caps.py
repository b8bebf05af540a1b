"""A tenant's own caps among the law's."""

from __future__ import annotations

from data.company_caps import CompanyCap
from models.rules.company_caps import with_company_caps
from models.rules.pack import Cap
from tests.dense_packs import plain_packs

PLAIN = plain_packs()


def test_a_tenants_cap_stands_behind_the_laws_and_says_whose_it_is() -> None:
    packs = with_company_caps(PLAIN, {"phone": CompanyCap(1, 10), "any": CompanyCap(3, 14)})
    every = tuple(sorted(PLAIN["SE"].channels()))
    assert packs["SE"].caps == (
        *PLAIN["SE"].caps,
        Cap(every, 3, 14, "debtor", "company_policy", "[caps] in rettid.toml"),
        Cap(("phone",), 1, 10, "debtor", "company_policy", "[caps] in rettid.toml"),
    )


def test_without_caps_of_the_tenant_the_packs_stay_the_same_objects() -> None:
    assert with_company_caps(PLAIN, {}) is PLAIN
