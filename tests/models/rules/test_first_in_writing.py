"""Channels that wait for a text: any but the texts themselves may."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from data.action_grid import ActionGrid
from data.times import NEVER
from data.vocabulary import CHANNELS
from models.rules.mask import contact_mask
from models.rules.pack import InWriting
from tests.dense_packs import AUTHORITY, plain_packs
from tests.situations import claims, one_debtor

GRID = ActionGrid(CHANNELS, days=2, hours=(9, 13))


@pytest.mark.parametrize("channel", [name for name in CHANNELS[1:] if name != "letter"])
def test_each_channel_that_a_pack_names_waits_for_a_text_and_no_other_does(channel: str) -> None:
    plain = plain_packs()
    packs = {**plain, "SE": replace(plain["SE"], in_writing=InWriting((channel,), ("letter",), *AUTHORITY))}
    untold = claims((0, 50.0, 20_400), first_sent_us=np.full((1, len(CHANNELS)), NEVER))
    mask = contact_mask(one_debtor(claims=untold), grid=GRID, packs=packs)
    assert mask.blocked(0) == [(channel, "first_in_writing")]
