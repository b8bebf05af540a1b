-- What counts at the moment: rows of the contract's tables that had happened and were known before it.
-- `here` holds that moment in one row: as_of (microseconds), day (whole UTC days since the epoch), horizon (microseconds).

create table debtor as
select *, zone_of(country, region, time_zone) as zone
from debtors;

-- Decisions: each contact_id once, whoever it covers.
create table ever_decided as
select contact_id, debtor_id, channel, decided_at, send_at, max(decided_at, coalesce(known_at, decided_at)) as known
from (select *, row_number() over (partition by contact_id order by rowid) as place from contacts)
where place = 1;

create table decision as
select ever_decided.*, as_of - decided_at as age
from ever_decided, here
where known < as_of and channel in (select word from channel);

-- Contacts: decisions for a channel, with the debtor's local time of sending.
create table contact as
select contact_id, debtor_id, channel, decided_at, known, age,
    day_part(local_hour(send_at, zone)) as sent_part, local_weekday(send_at, zone) as sent_weekday
from decision join debtor using (debtor_id)
where channel <> 'none';

-- Events: what happened to a decision, whether that decision itself is known yet or not.
create table event as
select contact_id, debtor_id, kind, at, promised_for, max(at, coalesce(contact_events.known_at, at)) as known
from contact_events join ever_decided using (contact_id), here
where max(at, coalesce(contact_events.known_at, at)) < as_of;

-- What came of contacts: events that count and whose contact counts; rates are made of these.
create table came as
select event.contact_id, event.debtor_id, channel, kind, at, max(event.known, contact.known) as known
from event join contact using (contact_id);

create table came_once as
select distinct contact_id, kind from came;

create table reached as
select distinct contact_id from came where kind in ('opened', 'clicked', 'answered');

-- Responses: of each contact the first click and the first answer to be known.
create table response as
select contact_id, debtor_id, channel, at,
    local_hour(at, zone) as hour, day_part(local_hour(at, zone)) as part, local_weekday(at, zone) as weekday
from (
    select *, row_number() over (partition by contact_id, kind order by known, at) as place
    from came where kind in ('clicked', 'answered')
) join debtor using (debtor_id)
where place = 1;

-- Claims registered so far.
create table claim as
select claims.*, eur(currency, day) as eur,
    closed_at is null or closed_at > as_of as open,
    coalesce(closed_at <= as_of and close_reason = 'paid', 0) as paid,
    coalesce(closed_at <= as_of and coalesce(close_reason, '') <> 'paid', 0) as unpaid
from claims, here
where registered_at <= as_of;

-- Money: what came in, and of it what was not sent back.
create table received as
select payment_id, claim_id, payments.debtor_id, paid_at, contact_id, amount_cents, amount_cents / 100.0 * eur(claims.currency, day) as amount_eur,
    as_of - paid_at as age, coalesce(reversed_at < as_of, 0) as reversed
from payments join claims using (claim_id), here
where max(paid_at, coalesce(known_at, paid_at)) < as_of;

create table payment as
select received.*,
    local_hour(paid_at, zone) as hour, day_part(local_hour(paid_at, zone)) as part,
    local_weekday(paid_at, zone) as weekday, local_month_day(paid_at, zone) as day
from received join debtor using (debtor_id)
where not reversed;

-- Promises: due at the end (UTC) of the day they name, or of the fourteenth day after they were given.
create table promise as
select debtor_id, at, ends, exists (
    select 1 from payment
    where payment.debtor_id = given.debtor_id and paid_at between at and ends + 3 * 86400000000
) as kept
from (
    select debtor_id, at, (coalesce(promised_for, at / 86400000000 + 14) + 1) * 86400000000 as ends
    from event where kind = 'promised'
) as given;

-- The course of a claim.
create table course as
select claim_id, kind, at, stage_code, next_due_on
from claim_events left join (select code as stage_code, word as stage from stage) using (stage), here
where max(at, coalesce(known_at, at)) < as_of;

create table last_stage as
select claim_id, at, stage_code, next_due_on - day as to_next_due
from (
    select *, row_number() over (partition by claim_id order by at desc, stage_code desc, next_due_on desc) as place
    from course where kind = 'stage'
), here
where place = 1;

-- What holds of a claim: the last word of the two is the one that begins it; at one instant the one that ends it is last.
create table holds as
select claim_id, name, kind = begins as holds
from (
    select claim_id, kind, name, begins,
        row_number() over (partition by claim_id, name order by at desc, kind = begins) as place
    from course join (
        select 'disputed' as name, 'dispute_opened' as begins, 'dispute_closed' as ends
        union all select 'held', 'hold_placed', 'hold_lifted'
        union all select 'on_plan', 'plan_agreed', 'plan_broken'
    ) on kind in (begins, ends)
)
where place = 1;

-- What is owed on a claim.
create table owed as
select claim_id, max(principal_cents - coalesce(sum(amount_cents), 0), 0) / 100.0 as outstanding,
    max(principal_cents - coalesce(sum(amount_cents), 0), 0) / 100.0 * eur as outstanding_eur
from claim left join payment using (claim_id)
group by claim_id;

-- Ways to reach a debtor, as far as they had begun; one that is not verified was verified after all time.
create table point as
select *, case when verified then coalesce(verified_at, 0) else 9e18 end as verified_us
from contact_points, here where valid_from <= as_of;

-- Withdrawals of consent for other rows of the address, or of the channel where a row has no key.
create table withdrawal as
select point.rowid as row
from point join point as word using (debtor_id, channel)
where word.consent = 'withdrawn' and (
    word.valid_from >= point.valid_from and coalesce(word.address_key = point.address_key, true)
    or word.address_key = point.address_key and point.consent = 'not_required' and not exists (
        select 1 from point as back
        where back.debtor_id = point.debtor_id and back.channel = point.channel
            and back.address_key = point.address_key and back.consent = 'given'
            and word.valid_from < back.valid_from and back.valid_from <= point.valid_from
    )
);

-- Rows that began unverified, of an address that was verified before.
create table doubt as
select point.rowid as row
from point join point as word using (debtor_id, channel, address_key)
where word.verified_us > word.valid_from and word.valid_from >= max(point.valid_from, point.verified_us);

create table reachable as
select debtor_id, word as channel, exists (
    select 1 from point
    where point.debtor_id = debtor.debtor_id and point.channel = word
        and verified_us <= as_of and (valid_to is null or as_of < valid_to) and consent <> 'withdrawn'
        and point.rowid not in (select row from withdrawal union all select row from doubt)
) as reachable
from debtor, channel, here
where word <> 'none';

-- Words behind the codes, in alphabetical order.
create table country as
select word, row_number() over (order by word) - 1 as code from (select distinct country as word from debtors);

create table sector as
select word, row_number() over (order by word) - 1 as code from (select distinct sector as word from claim);

create index contact_of_debtor on contact (debtor_id, channel);
create index decision_of_debtor on decision (debtor_id, channel);
create index payment_of_debtor on payment (debtor_id, paid_at);
create index came_of_contact on came_once (contact_id, kind);
