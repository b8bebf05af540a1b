"""A pack out of parsed TOML, table by table; a row without a status or source of its own has those of the pack's head."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from data.situation import RECALL_DAYS
from data.vocabulary import CHANNELS, STAGES
from models.rules.pack_checks import check_whole
from models.rules.pack_tables import (
    SCOPES,
    WAITS,
    BadPack,
    Cap,
    InWriting,
    Pack,
    Promotion,
    SchoolHours,
    Wait,
    Window,
)
from models.rules.pack_values import (
    authority,
    country,
    day,
    flag,
    hours,
    must_have,
    names,
    number,
    one_of,
    table,
    text,
    texts,
    weekdays,
)

Row = Mapping[str, Any]
Channels = tuple[str, ...]
Told = TypeVar("Told")

_AUTHORITY = {"status", "source"}
_HEAD = {"country", "valid_from", "reviewed_by", "holidays", "windows"} | _AUTHORITY
_MAY = {"valid_to", "enabled", "in_writing", "promotion"}
_NONE = {"caps": "caps = []", "waits": "waits = []", "school_hours": "[school_hours] with none = true"}
"""What every pack says, were it that there is none: a rule that was forgotten must not read as one that is not needed."""


def parse_pack(document: Row, *, where: str, channels: Channels = CHANNELS[1:]) -> Pack:
    """Pack from parsed TOML; `where` names its file in messages, `channels` those it may name.

    Raises
    ------
    BadPack
        A key is unknown or missing, a value of the wrong kind, a window empty, or two rows contradict each other.
    """
    must_have(document, where, known=_HEAD | _MAY | set(_NONE), needed=_HEAD)
    _must_say(document, where)
    holidays = table(document["holidays"], f"{where} [holidays]")
    must_have(holidays, f"{where} [holidays]", known={"categories", "extra"}, needed={"categories", "extra"})
    status, source = authority(document, where)
    if document["windows"] == []:
        raise BadPack(f"{where}: expected at least one [[windows]], came []")
    pack = Pack(
        country=country(document["country"], f"{where} country"),
        status=status,
        source=source,
        valid_from=day(document["valid_from"], f"{where} valid_from"),
        valid_to=day(document["valid_to"], f"{where} valid_to") if "valid_to" in document else None,
        reviewed_by=text(document["reviewed_by"], f"{where} reviewed_by", empty=True),
        categories=texts(holidays["categories"], f"{where} [holidays] categories"),
        extra=texts(holidays["extra"], f"{where} [holidays] extra", empty=True),
        windows=_rows(document, "windows", where=where, read=_window, channels=channels),
        caps=_rows(document, "caps", where=where, read=_cap, channels=channels),
        waits=_rows(document, "waits", where=where, read=_wait, channels=channels),
        school_hours=_school_hours_said(document, where, channels),
        in_writing=_one(document, "in_writing", where=where, read=_in_writing, channels=channels),
        promotion=_one(document, "promotion", where=where, read=_promotion, channels=channels),
        enabled=flag(document.get("enabled", True), f"{where} enabled"),
    )
    check_whole(pack, where)
    return pack


def _must_say(document: Row, where: str) -> None:
    silent = [name for name in _NONE if name not in document]
    if silent:
        raise BadPack(
            f"{where}: says nothing of {', '.join(silent)}; every pack says them. "
            f"Where there are none write {', '.join(_NONE[name] for name in silent)}; a list stands above the first [table]"
        )


def _rows(
    document: Row, name: str, *, where: str, read: Callable[[Row, str, Channels], Told], channels: Channels
) -> tuple[Told, ...]:
    """Every row of `[[name]]`; its place in a message is the name in the singular and a number, such as `cap 2`."""
    rows = document.get(name, [])
    if not isinstance(rows, list):
        raise BadPack(f"{where}: expected rows [[{name}]], came {rows!r}")
    places = [f"{where} {name.removesuffix('s')} {number}" for number in range(1, len(rows) + 1)]
    return tuple(
        read(_with_authority(row, place, document), place, channels) for row, place in zip(rows, places, strict=True)
    )


def _one(
    document: Row, name: str, *, where: str, read: Callable[[Row, str, Channels], Told], channels: Channels
) -> Told | None:
    """The table `[name]`, None where the pack has none."""
    if name not in document:
        return None
    place = f"{where} [{name}]"
    return read(_with_authority(document[name], place, document), place, channels)


def _with_authority(value: object, where: str, head: Row) -> Row:
    """A row with the head's status and source where it gives none.

    Raises
    ------
    BadPack
        The row calls itself confirmed, and the only source is that of a head which is not.
    """
    row = table(value, where)
    if row.get("status") == "confirmed" and "source" not in row and head["status"] != "confirmed":
        raise BadPack(
            f'{where}: status = "confirmed" without a source, and the pack\'s own is {head["status"]}; '
            "name the source that was read, or leave the status out"
        )
    return {"status": head["status"], "source": head["source"], **row}


def _window(row: Row, where: str, channels: Channels) -> Window:
    needed = {"channels", "weekdays", "from", "to", "holidays"} | _AUTHORITY
    must_have(row, where, known=needed | {"regions"}, needed=needed)
    status, source = authority(row, where)
    from_hour, to_hour = hours(row, where)
    return Window(
        channels=names(row["channels"], f"{where} channels", known=channels),
        weekdays=weekdays(row["weekdays"], f"{where} weekdays"),
        from_hour=from_hour,
        to_hour=to_hour,
        holidays=flag(row["holidays"], f"{where} holidays"),
        regions=texts(row.get("regions", []), f"{where} regions", empty="regions" not in row),
        status=status,
        source=source,
    )


def _told_for(days: int, where: str) -> int:
    """Days that a cap may count over: contacts of longer ago are not told to the rules."""
    if days >= RECALL_DAYS:
        raise BadPack(
            f"{where}: expected at most {RECALL_DAYS - 1}, came {days}: older contacts are not told to the rules"
        )
    return days


def _cap(row: Row, where: str, channels: Channels) -> Cap:
    needed = {"channels", "most", "days", "scope"} | _AUTHORITY
    must_have(row, where, known=needed, needed=needed)
    status, source = authority(row, where)
    return Cap(
        channels=names(row["channels"], f"{where} channels", known=channels),
        most=number(row["most"], f"{where} most", least=0),
        days=_told_for(number(row["days"], f"{where} days", least=1), f"{where} days"),
        scope=one_of(row["scope"], f"{where} scope", known=SCOPES),
        status=status,
        source=source,
    )


def _wait(row: Row, where: str, channels: Channels) -> Wait:
    needed = {"after", "channels", "days"} | _AUTHORITY
    must_have(row, where, known=needed | {"bank_days", "full_days", "receipt_days", "stages"}, needed=needed)
    status, source = authority(row, where)
    after = one_of(row["after"], f"{where} after", known=WAITS)
    if (after == "stage") is not ("stages" in row):
        raise BadPack(
            f'{where}: expected stages with after = "stage" and with no other, came after = "{after}" '
            f"{'with' if 'stages' in row else 'without'} stages"
        )
    return Wait(
        after=after,
        channels=names(row["channels"], f"{where} channels", known=channels),
        days=number(row["days"], f"{where} days", least=1),
        bank_days=flag(row.get("bank_days", False), f"{where} bank_days"),
        full_days=flag(row.get("full_days", False), f"{where} full_days"),
        receipt_days=number(row.get("receipt_days", 0), f"{where} receipt_days", least=0),
        stages=names(row["stages"], f"{where} stages", known=STAGES) if "stages" in row else (),
        status=status,
        source=source,
    )


def _school_hours_said(document: Row, where: str, channels: Channels) -> SchoolHours | None:
    """The table `[school_hours]`, None where it says `none = true` and nothing else."""
    said = table(document["school_hours"], f"{where} [school_hours]")
    if "none" not in said:
        return _one(document, "school_hours", where=where, read=_school_hours, channels=channels)
    if len(said) > 1 or said["none"] is not True:
        raise BadPack(
            f"{where} [school_hours]: expected none = true by itself, or hours without none, came {dict(said)!r}"
        )
    return None


def _school_hours(row: Row, where: str, channels: Channels) -> SchoolHours:
    needed = {"channels", "weekdays", "from", "to"} | _AUTHORITY
    must_have(row, where, known=needed, needed=needed)
    status, source = authority(row, where)
    from_hour, to_hour = hours(row, where)
    return SchoolHours(
        channels=names(row["channels"], f"{where} channels", known=channels),
        weekdays=weekdays(row["weekdays"], f"{where} weekdays"),
        from_hour=from_hour,
        to_hour=to_hour,
        status=status,
        source=source,
    )


def _in_writing(row: Row, where: str, channels: Channels) -> InWriting:
    needed = {"channels", "by"} | _AUTHORITY
    must_have(row, where, known=needed, needed=needed)
    status, source = authority(row, where)
    later, first = (names(row[key], f"{where} {key}", known=channels) for key in ("channels", "by"))
    if set(later) & set(first):
        raise BadPack(
            f"{where}: expected channels and by to share none, came {sorted(set(later) & set(first))} in both; "
            "a channel that waits for itself would never open"
        )
    return InWriting(later, first, status, source)


def _promotion(row: Row, where: str, _: Channels) -> Promotion:
    needed = {"allowed"} | _AUTHORITY
    must_have(row, where, known=needed, needed=needed)
    status, source = authority(row, where)
    return Promotion(flag(row["allowed"], f"{where} allowed"), status, source)
