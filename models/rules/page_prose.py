"""What the page of contact rules says besides its tables."""

from __future__ import annotations

HEAD = """# Contact rules

Written from the rules and packs by `models/rules/page.py`. `rettid rules show NO` shows one country's pack, `rettid rules check`
finds every fault in a folder of packs, `rettid rules explain` says for one debtor which rule holds what.

Before any model or policy chooses, the rules on this page strike out what may not be done. What is left is the *mask* over
the [action grid](../data/action_grid.py): one true or false for each debtor, channel and hour of the coming days. The same
mask holds in the nightly batch, in the service, in the simulator and when past decisions are judged.

Each rule is one file in `models/rules/`, and every refusal has a reason: the first rule, in the order below, that left a
channel without a slot, or that holds a claim. `none` is always allowed.

Facts that are not known count against contact: the cautious branch. A lawyer must read a pack before it is relied on;
`reviewed_by` in each is empty until one has.

## The rules in their order

Stop comes first, then identity, law, preference and policy. Which step comes when, and the usual gap between steps, is the
[tenant's ladder](#the-tenants-ladder) and no rule.
"""

AFTER_TIER = {
    "identity": (
        "**What is said of an address.** A row of `contact_points` counts from its `valid_from` on. A withdrawn consent, a `kind` that is not private and a\n"
        "missing confirmation then hold for every row of the same debtor, channel and `address_key` that began before it or with it, and\n"
        "go on when the row that says so has ended: the end of a period gives no consent again. Where either row has no key, a withdrawal\n"
        "and such a kind hold for every earlier row of the channel; a missing confirmation does not, since a new number that nobody has\n"
        "confirmed says nothing of the confirmed one. A row that begins later stands by its own word (`given`, `private`, confirmed); one that\n"
        "is silent (`not_required`, no kind) does not take back what was said under its key. A row dated ahead counts when its day has come:\n"
        "`/confirm` asks again just before sending."
    ),
    "legal": "A debtor all of whose claims are held is not contacted; with one free claim left, the contact is about that one.",
    "preference": (
        "Somebody who has objected to profiling may still be contacted, but no model decides: the tenant's ladder does. Nobody marked\n"
        "as vulnerable is ever part of an exploration."
    ),
}
"""What stands under the table of a tier."""

PACKS = """## Packs

A pack is a file in `models/rules/packs/`: contact rules of one country as data, one table for each kind.

| table | says |
| --- | --- |
| `[[windows]]` | channels, weekdays and local hours in which they may be used, whether on holidays too, for which regions |
| `[holidays]` | which days count as holidays |
| `[[caps]]` | at most so many contacts through some channels, counted together, in so many local days on end, for a debtor or for each claim; attempts that failed count |
| `[[waits]]` | after an event (a contact, a conversation, a click on a payment link, the debtor's own contact, a claim's stage) none through some channels for some days, bank days or days in full |
| `[school_hours]` | hours in which a number that may be a child's is left alone |
| `[in_writing]` | channels that may be used only after a contact in text form |
| `[promotion]` | whether a message may hold a sales promotion |

Each row is `confirmed` (read in the source that it names) or a `conservative_default` (a cautious assumption); one that does not
say has the status and source of the pack's head. A pack with an unknown key, a missing source, an empty or doubled row is
refused when it is read, with the place, what came and what would be right. Caps, waits and school hours are said in every pack: where
there are none, `caps = []`, `waits = []`, or `none = true` under `[school_hours]`.

**In time.** A country may have several files: `NO.toml`, `NO-2027.toml`. The one whose `valid_from` to `valid_to` holds the day is in
force; they must follow one another without gap or overlap, and when the last has ended the country is refused until the next is
written. Days before the first, met only in replays of old logs, are held to the first. A pack with `enabled = false` is read and shown,
never in force: `NO-proposed` waits for the act.

**A tenant's own.** Packs in `rules/` of the workspace replace the shipped ones of their countries. A bad or expired one is refused when it is
read: the last good one, kept beside it, goes on, and a notice says why and since when. So is one that has not begun: to replace a pack from a
day on, put both beside each other. With none kept that still holds, nobody in the country is contacted; the shipped pack never steps in by itself.
A file is named for its country in two capital letters; `no.toml` is a bad file of Norway. The service reads packs when it starts.

Hours are the debtor's local ones. A slot of one hour must lie wholly inside a window, after the clock has been asked: on the
nights when clocks change too. Text messages follow the hours of calls; e-mail, mailbox, portal and letters are scheduled
08-20 on all days.

The holidays of 2024 to 2028 that follow from the packs are a reviewed list in `tests/data/golden/`; the holiday library is
held at the version it was reviewed with.

A debtor's zone is the one handed over; else that of the region, else of the country. Where several are possible, as for an
American without a state, slots are labelled in the first and must be lawful in all.
"""

LADDER = """## The tenant's ladder

`control` is the tenant's present rule policy, run behind the same mask. It takes the step that the oldest covered claim has
reached, the first of its channels with an allowed slot, on the first such day, at the step's hour or the nearest allowed one;
it leaves a gap after the last contact, does not call about small sums and gives up on old claims. Steps, gap and limits stand
in the configuration under `[control]`.
"""

CANNOT_CARRY = (
    ("why a debtor is blocked: death, insolvency, debt settlement, protection", "`blocked_at` alone: never contacted again, nor is an estate's handler or executor"),
    ("insolvency and debt settlement as such", "the tenant sets `blocked_at`"),
    ("Breathing Space (60 days), a mental-health crisis (its treatment and 30 days)", "the tenant sets `stop_until`, far ahead where no end is known"),
    ("a request for a medium (\"write, do not call\")", "an opt-out of each other channel"),
    ("a debtor's own times (\"not before noon\", shift work, \"not now\")", "the pack's hours; `stop_until`, or an opt-out where that is not enough"),
    ("a workplace that must not be called, told in words", "a contact point of kind `work` is not used for calls, SMS and e-mail"),
    ("the address that an opt-out was for", "the whole channel is shut"),
    ("what a consent was given for", "a withdrawn consent shuts the address for every purpose"),
    ("statutory notices after a cease request (United States)", "no contact at all"),
    ("a minor's guardian", "letters only"),
    ("an answer of somebody else (`third_party`)", "no rule looks at it: the channel stays open, unlike after `wrong_person`"),
    ("which address a row without `address_key` means", "what it says against an address holds for every earlier row of that debtor and channel"),
    ("whose number or address else it is (the same `address_key`)", "a wrong person or an opt-out shuts the whole channel of that debtor; the same number under another debtor stays open"),
    ("which hold was lifted (no id of a hold)", "a gap: of two placed, one lifted counts as all lifted"),
    ("the agency's first demand on day 30 (Finland), a new demand after 6 months (Norway)", "a statutory letter is never an action here: the collection system's ladder holds its days"),
    ("the day on which a letter was received", "the days in the mail that the pack assumes, counted from dispatch"),
    ("contacts made outside the tables, by the creditor or another agency", "not counted: a tenant hands over all that it knows of"),
    ("municipal holidays, half holidays", "the pack's days; a tenant adds its own under `[holidays] extra`"),
    ("school holidays", "they count as school days"),
    ("stricter rules of American states", "the federal hours and caps; a tenant's own pack may name `regions`"),
    ("how many segments a text message has", "one price a message; no rule depends on it"),
    ("whether a message holds a sales promotion", "no pack allows one; templates are the sender's"),
    ("fees that a step would bring", "never an action, never part of a value"),
    ("from when on each rule was law", "earlier days, met in replays of old logs, are held to the country's first pack"),
)  # fmt: skip
"""Facts and what holds without them."""
