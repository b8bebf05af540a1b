-- Every debtor and claim feature of all open claims at one moment, hand-written for DuckDB.
--
-- In braces: constants of the moment (as_of, day, horizon in microseconds, ...), column lists that features_rivals_duckdb.py
-- writes out for each channel, window, part of the day and weekday, and `only`, the filter of the call for one debtor.
-- Statements run one after the other: planning one query of all this takes half a second, its parts a third.
-- Counts are packed: one sum holds the four windows (or parts, or weekdays) in fields of 15 bits, so no debtor may have more
-- than 32,767 of a kind. Channels and measures are counted by (debtor, code) first and then turned into columns.

create or replace temp table owing as
select claim, debtor, sector, creditor, currency, principal, due_day, registered_us
from claims where registered_us <= {as_of} and closed_us > {as_of} {only};

create or replace temp table who as
select distinct debtor from owing;

-- What counts at the moment.
create or replace temp table contact as
select contact, debtor, decided_us, channel, part, weekday, debtor::bigint * 65536 + decided_us // {horizon} as bin,
    case when decided_us >= {since_30} then {one_30} when decided_us >= {since_90} then {one_90}
        when decided_us >= {since_365} then {one_365} else 1 end::bigint as windows
from contacts semi join who using (debtor) where known_us < {as_of} and channel >= 0 {only};

create or replace temp table money as
select payments.rowid as payment, debtor, claim, paid_us, amount, {eur} as eur, channel, hour, part, weekday, month_day,
    debtor::bigint * 65536 + paid_us // {horizon} as bin
from payments semi join who using (debtor) where known_us < {as_of} and reversed_us >= {as_of} {only};

-- Payments within the horizon after a contact: of one bin of the horizon's length, or of the next one.
create or replace temp table near as
select contact, contact.channel, payment, money.debtor, windows, decided_us
from contact join (select *, bin as place from money union all select *, bin - 1 as place from money) as money
    on contact.bin = money.place and decided_us <= paid_us and paid_us < decided_us + {horizon};

-- Contacts.
create or replace temp table met as
with followed as (
    select debtor, channel, total(windows) as paid
    from (select distinct contact, debtor, channel, windows from near where decided_us + {horizon} <= {as_of})
    group by debtor, channel
),
by_channel as (
    select debtor, channel, total(windows) as sent, max(decided_us) as last_us, max(contact) as last_row,
        total(case when decided_us + {horizon} <= {as_of} then windows else 0 end) as mature,
        total({part_field}) as parts,
        total({weekday_field_1}) as weekdays_1, total({weekday_field_2}) as weekdays_2,
        total(case when decided_us >= {since_3} then {one_3} when decided_us >= {since_7} then {one_7}
            when decided_us >= {since_14} then 1 else 0 end::bigint) as lately
    from contact group by debtor, channel
)
select *, {total_columns} from (
select debtor, {sent_columns}, {mature_columns}, {paid_columns}, {last_us_columns},
    max(case when channel > 0 then last_us end) as last_us,
    max(case when channel > 0 then last_row * 64 + channel end) as last_of_all,
    total(case when channel > 0 then sent else 0 end) as contacts,
    total(case when channel > 0 then parts else 0 end) as parts,
    total(case when channel > 0 then weekdays_1 else 0 end) as weekdays_1,
    total(case when channel > 0 then weekdays_2 else 0 end) as weekdays_2,
    total(case when channel > 0 then lately else 0 end) as lately,
    list_sort(list(last_row) filter (channel > 0), 'desc')[2] as before_run
from who left join by_channel using (debtor) left join followed using (debtor, channel) group by debtor);

-- Their events.
create or replace temp table hits as
with by_hit as (
    select debtor, hit, total(
            case when decided_us >= {since_30} then {one_30} when decided_us >= {since_90} then {one_90}
            when decided_us >= {since_365} then {one_365} else 1 end::bigint) as windows, max(at_us) as last_us
    from contact_events semi join who using (debtor) where counted_us < {as_of} and hit >= 0 {only} group by debtor, hit
)
select debtor, {hit_columns}, {response_columns},
    max(case when hit between {first_response} and {last_response} then last_us end) as response_us
from who left join by_hit using (debtor) group by debtor;

create or replace temp table reached as
select debtor, {reached_columns}, total({sent_part_field}) as parts,
    total({sent_weekday_field_1}) as weekdays_1, total({sent_weekday_field_2}) as weekdays_2
from contact_events semi join who using (debtor)
where counted_us < {as_of} and first_reach and channel > 0 {only} group by debtor;

create or replace temp table mark as
select debtor, max(case when kind = {clicked} then at_us end) as click_us,
    max(case when kind = {promised} then at_us end) as promise_us,
    total({refusal_field}) as refusals
from contact_events semi join who using (debtor)
where known_us < {as_of} and channel >= 0 and kind in ({marks}) {only} group by debtor;

-- Payments.
create or replace temp table paid as
with prompted as (
select distinct payment from near where channel > 0
)
select debtor, total(case when paid_us >= {since_30} then {one_30} when paid_us >= {since_90} then {one_90}
        when paid_us >= {since_365} then {one_365} else 1 end::bigint) as windows,
    sum(eur) as eur_ever, sum(case when paid_us >= {since_365} then eur else 0 end) as eur_365,
    sum(case when paid_us >= {since_90} then eur else 0 end) as eur_90,
    sum(case when paid_us >= {since_30} then eur else 0 end) as eur_30,
    {through_columns},
    total({part_field}) as parts, total({weekday_field_1}) as weekdays_1,
    total({weekday_field_2}) as weekdays_2, total(hour::bigint) as hours,
    min(paid_us) as first_us, max(paid_us) as last_us, total((prompted.payment is null)::int) as unprompted
from money left join prompted using (payment) group by debtor;

-- Claims.
create or replace temp table so_far as
select debtor, sector, creditor, registered_us, closed_us > {as_of} as open, closed_us <= {as_of} and closed_paid as paid,
    closed_us / 864e8 - due_day as paid_days
from claims semi join who using (debtor) where registered_us <= {as_of} {only};

create or replace temp table sectors as
select debtor, sector, count(*) as claims, total((not open)::int) as closed, total(paid::int) as paid
from so_far where sector >= 0 group by debtor, sector;

create or replace temp table claim_state as
with creditors as (
select debtor, creditor, count(*) as claims from so_far group by debtor, creditor
),
on_claim as (
    select claim, count(*) as payments, max(paid_us) as last_us, sum(amount) as amount
    from money semi join owing using (claim) group by claim
),
contacts_of_claim as (
    select claim, count(*) as contacts from owing join contact
        on owing.debtor = contact.debtor and decided_us >= registered_us where channel > 0 group by claim
),
course as (
    select claim, max(case when kind = 0 then claim_events.rowid end) as stage_row,
        max(case when kind in (1, 2) then claim_events.rowid * 16 + kind end) % 16 = 1 as disputed,
        max(case when kind in (3, 4) then claim_events.rowid * 16 + kind end) % 16 = 3 as held,
        max(case when kind in (5, 6) then claim_events.rowid * 16 + kind end) % 16 = 5 as on_plan,
        total((kind = 6)::int) as plans_broken, total((kind = 1)::int) as disputes, max(case when kind = 7 then at_us end) as inbound_us
    from claim_events semi join owing using (claim) where known_us < {as_of} {only} group by claim
),
stage as (
    select course.*, stage, at_us as stage_us, case when next_due_day <> {no_day} then next_due_day - {day} end as to_next_due
    from course left join claim_events on claim_events.rowid = stage_row
)
select owing.*, coalesce(payments, 0) as payments, on_claim.last_us as payment_us,
    greatest(floor((principal - coalesce(amount, 0)) * 1e2 + 5e-1) / 1e2, 0) as outstanding,
    outstanding * {currency_eur} as outstanding_eur, coalesce(contacts, 0) as contacts,
    coalesce(sectors.claims, 1) - 1 as in_sector, coalesce(sectors.closed, 0) as in_sector_closed,
    coalesce(sectors.paid, 0) as in_sector_paid, creditors.claims - 1 as of_creditor,
    nullif(stage, -1) as stage, stage_us, to_next_due, disputed, held, on_plan,
    coalesce(plans_broken, 0) as plans_broken, coalesce(disputes, 0) as disputes, inbound_us
from owing left join on_claim using (claim) left join contacts_of_claim using (claim) left join stage using (claim)
    left join sectors on sectors.debtor = owing.debtor and sectors.sector = owing.sector
    left join creditors on creditors.debtor = owing.debtor and creditors.creditor = owing.creditor;

-- Features of the debtor: the person and the claims.
with main as (
select debtor, 65535 - max(claims * 65536 + 65535 - sector) % 65536 as sector from sectors group by debtor
),
claim_counts as (
    select debtor, total(case when registered_us >= {since_30} then {one_30} when registered_us >= {since_90} then {one_90}
            when registered_us >= {since_365} then {one_365} else 1 end::bigint) as windows,
        total(open::int) as open, total(paid::int) as paid, total((not open and not paid)::int) as unpaid,
        sum(case when paid then paid_days else 0 end) as paid_days, max(registered_us) as last_us
    from so_far group by debtor
),
open_sums as (
    select debtor, sum(outstanding_eur) as total_eur, max(outstanding_eur) as largest_eur, {day} - min(due_day) as oldest_due_days,
        count(distinct case when sector >= 0 then sector end) as open_sectors, total(disputed::int) as disputed,
        total(held::int) as held, total(on_plan::int) as on_plan, max(stage) as stage, min(to_next_due) as soonest
    from claim_state group by debtor
),
profile as (
    select profiles.* from profiles join (
        select max(profiles.rowid) as last from profiles semi join who using (debtor) where valid_from_us <= {as_of} {only} group by debtor
    ) on profiles.rowid = last
),
usable as (
    select debtor, bit_or(1 << channel) as channels from points semi join who using (debtor)
    where valid_from_us <= {as_of} and verified_us <= {as_of} and valid_to_us > {as_of} and verified and not withdrawn
        and channel >= 0 {only}
    group by debtor
)
select debtor, {person_columns}
from debtors join who using (debtor) left join profile using (debtor) left join usable using (debtor)
    left join claim_counts using (debtor) left join main using (debtor) left join open_sums using (debtor);

-- Contacts and what they met with.
with after as (
    select contact.debtor, total((contact > coalesce(before_run, -1))::int) as run,
        total((decided_us > coalesce(response_us, 0))::int) as since_response,
        total((decided_us > coalesce(paid.last_us, 0))::int) as since_payment
    from contact join met using (debtor) left join hits using (debtor) left join paid using (debtor)
    where channel > 0 group by contact.debtor
)
select debtor, {contact_columns}
from met join hits using (debtor) left join after using (debtor) left join reached using (debtor) left join mark using (debtor)
    left join paid using (debtor);

-- Promises, times of the day, payments.
with responses as (
    select debtor, total({part_field}) as parts, total({weekday_field_1}) as weekdays_1,
        total({weekday_field_2}) as weekdays_2, total(hour::bigint) as hours
    from contact_events semi join who using (debtor)
    where counted_us < {as_of} and hit between {first_response} and {last_response} {only} group by debtor
),
promise as (
    select contact_events.rowid as promise, debtor, at_us, promised_us
    from contact_events semi join who using (debtor)
    where known_us < {as_of} and channel >= 0 and kind = {promised} {only}
),
keeping as (
    select distinct promise from promise join money
        on promise.debtor = money.debtor and at_us <= paid_us and paid_us <= promised_us + 259200000000
),
promises as (
    select debtor, max(case when promised_us > {as_of} then promised_us end) as open_until_us,
        total((promised_us <= {as_of} and keeping.promise is not null)::int) as kept,
        total((promised_us + 3 * 86400000000 <= {as_of} and keeping.promise is null)::int) as broken
    from promise left join keeping using (promise) group by debtor
),
reversals as (
    select debtor, count(*) as reversed from payments semi join who using (debtor)
    where known_us < {as_of} and reversed_us < {as_of} {only} group by debtor
),
by_day as (
    select debtor, 1 + (month_day + 30 - before) % 31 as day, count(*) as around, sum((before = 0)::int)::bigint as own
    from money cross join (select unnest([0, 1, 2]) as before) group by debtor, day
),
pay_day as (
    select debtor, arg_max(day, (around * 64 + own) * 32 - day) as best, arg_max(around, (around * 64 + own) * 32 - day) as near,
        case when near >= {least} then best end as learned
    from by_day group by debtor
)
select debtor, {payment_columns}
from who join debtors using (debtor) join met using (debtor) left join responses using (debtor) left join reached using (debtor)
    left join mark using (debtor) left join promises using (debtor) left join paid using (debtor)
    left join pay_day using (debtor) left join reversals using (debtor);

-- Features of the claim.
with open_sums as (select debtor, sum(outstanding_eur) as total_eur from claim_state group by debtor)
select claim_state.debtor, {claim_columns}
from claim_state join open_sums using (debtor)
order by claim
