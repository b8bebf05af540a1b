-- Rates and shares: count and total of each debtor, then mixed with a few of the portfolio's own.
-- `usual_of` names the rate whose count and total over all debtors are the usual ones; `prior` is how many are mixed in.

create table rate (owner, feature, usual_of, count, total, prior);

-- delivered_rate_sms_30, ...: contacts of which it came true.
insert into rate
select debtor.debtor_id, measure.word || '_rate_' || channel.word || '_' || span.word,
    measure.word || '_rate_' || channel.word || '_ever', count(came_once.contact_id), count(contact.contact_id), 4
from debtor join channel join span join measure
    left join contact on contact.debtor_id = debtor.debtor_id and channel = channel.word and age <= us
    left join came_once on came_once.contact_id = contact.contact_id and kind = measure.word
where channel.word <> 'none'
group by debtor.debtor_id, channel.word, span.word, measure.word;

-- reach_rate_sms, ...
insert into rate
select debtor.debtor_id, 'reach_rate_' || word, 'reach_rate_' || word, count(reached.contact_id), count(contact.contact_id), 4
from debtor join channel
    left join contact on contact.debtor_id = debtor.debtor_id and channel = word
    left join reached on reached.contact_id = contact.contact_id
where word <> 'none'
group by debtor.debtor_id, word;

-- response_rate_sms, ...: a contact may have two, a click and an answer.
insert into rate
select debtor_id, 'response_rate_' || word, 'response_rate_' || word,
    (select count(*) from response where response.debtor_id = debtor.debtor_id and channel = word),
    (select count(*) from contact where contact.debtor_id = debtor.debtor_id and channel = word), 4
from debtor, channel
where word <> 'none';

-- reach_rate_morning, ... and reach_rate_monday, ...: by the local time of sending.
insert into rate
select debtor.debtor_id, 'reach_rate_' || word, 'reach_rate_' || word, count(reached.contact_id), count(contact.contact_id), 4
from debtor join (select word from part union all select word from weekday)
    left join contact on contact.debtor_id = debtor.debtor_id and word in (sent_part, sent_weekday)
    left join reached on reached.contact_id = contact.contact_id
group by debtor.debtor_id, word;

-- paid_after_rate_none_30, ...: decisions whose horizon is over.
create table judged as
select *, exists (
    select 1 from payment
    where payment.debtor_id = decision.debtor_id and paid_at >= decided_at and paid_at < decided_at + horizon
) as paid
from decision, here
where decided_at + horizon <= as_of;

insert into rate
select debtor.debtor_id, 'paid_after_rate_' || channel.word || '_' || span.word,
    'paid_after_rate_' || channel.word || '_ever', coalesce(sum(paid), 0), count(contact_id), 4
from debtor join channel join span
    left join judged on judged.debtor_id = debtor.debtor_id and channel = channel.word and age <= us
group by debtor.debtor_id, channel.word, span.word;

-- self_paid_rate: payments with no contact in the horizon before.
insert into rate
select debtor_id, 'self_paid_rate', 'self_paid_rate', coalesce(sum(by_itself), 0), count(by_itself), 4
from debtor left join (
    select debtor_id, not exists (
        select 1 from contact
        where contact.debtor_id = payment.debtor_id and decided_at > paid_at - horizon and decided_at <= paid_at
    ) as by_itself
    from payment, here
) using (debtor_id)
group by debtor_id;

-- paid_claims_rate, and of each open claim the same over the claims of its sector.
insert into rate
select debtor_id, 'paid_claims_rate', 'paid_claims_rate', coalesce(sum(paid), 0), coalesce(sum(paid + unpaid), 0), 4
from debtor left join claim using (debtor_id)
group by debtor_id;

insert into rate
select this.claim_id, 'sector_paid_rate', 'paid_claims_rate', sum(other.paid), sum(other.paid + other.unpaid), 4
from claim as this join claim as other using (debtor_id, sector)
where this.open
group by this.claim_id;

-- The portfolio's own rates, at most 1: to one contact there may be two responses.
create table usual as
select feature as usual_of, case when sum(total) > 0 then min(1.0 * sum(count) / sum(total), 1.0) else 0.0 end as usual
from rate
where feature = usual_of
group by feature;

-- responses_morning, ... payments_sunday: shares of all responses and payments; the usual ones begin from one each.
create table share (debtor_id, feature, axis, count, total);

insert into share
select debtor_id, 'responses_' || word, 'responses by ' || axis,
    count(response.contact_id) filter (where word in (part, weekday)), count(response.contact_id)
from debtor join (select word, 'part' as axis from part union all select word, 'weekday' from weekday)
    left join response using (debtor_id)
group by debtor_id, word;

insert into share
select debtor_id, 'payments_' || word, 'payments by ' || axis,
    count(payment_id) filter (where word in (part, weekday)), count(payment_id)
from debtor join (select word, 'part' as axis from part union all select word, 'weekday' from weekday)
    left join payment using (debtor_id)
group by debtor_id, word;

create table usual_share as
select feature, (sum(count) + 1.0) / (sum(sum(count)) over (partition by axis) + count(*) over (partition by axis)) as usual
from share
group by feature, axis;

create view mixed as
select owner, feature, (count + prior * usual) / (total + prior) as value from rate join usual using (usual_of)
union all
select debtor_id, feature, (count + 3 * usual) / (total + 3) from share join usual_share using (feature);
