-- Facts of each debtor, one row for each feature; a value is null where it is missing.

create table fact (owner, feature, value);

-- The person ---------------------------------------------------------------------------------------------------------

insert into fact select debtor_id, 'country', code from debtor left join country on word = debtor.country;
insert into fact
select debtor_id, 'age', floor((as_of / 86400000000.0 - birth_date) / 365.25) from debtor, here;
insert into fact select debtor_id, 'known_days', (as_of - registered_at) / 86400000000.0 from debtor, here;

create table profile as
select debtor_id, income_code, employment_code, other_debts, (as_of - valid_from) / 86400000000.0 as days
from (
    select *, row_number() over (
        partition by debtor_id order by valid_from desc, income_code desc, employment_code desc, other_debts desc
    ) as place
    from debtor_profiles
        left join (select code as income_code, word as income_band from income_band) using (income_band)
        left join (select code as employment_code, word as employment from employment) using (employment), here
    where valid_from <= as_of
)
where place = 1;

insert into fact select debtor_id, 'income_band', income_code from debtor left join profile using (debtor_id);
insert into fact select debtor_id, 'employment', employment_code from debtor left join profile using (debtor_id);
insert into fact select debtor_id, 'other_debts', other_debts from debtor left join profile using (debtor_id);
insert into fact select debtor_id, 'profile_days', days from debtor left join profile using (debtor_id);

insert into fact select debtor_id, 'reachable_' || channel, reachable from reachable;
insert into fact
select debtor_id, 'digital_reach', coalesce(sum(reachable) filter (where channel not in ('letter', 'phone')), 0)
from debtor left join reachable using (debtor_id) group by debtor_id;

-- Claims -------------------------------------------------------------------------------------------------------------

create table open_claim as
select * from claim left join owed using (claim_id) left join last_stage using (claim_id) where open;

insert into fact
select debtor_id, 'open_claims', count(claim_id) from debtor left join open_claim using (debtor_id) group by debtor_id;
insert into fact
select debtor_id, 'claims_paid', coalesce(sum(paid), 0) from debtor left join claim using (debtor_id) group by debtor_id;
insert into fact
select debtor_id, 'claims_unpaid', coalesce(sum(unpaid), 0)
from debtor left join claim using (debtor_id) group by debtor_id;
insert into fact
select debtor.debtor_id, 'claims_' || word, count(claim_id)
from here join debtor join span
    left join claim on claim.debtor_id = debtor.debtor_id and as_of - claim.registered_at <= us
group by debtor.debtor_id, word;
insert into fact
select debtor_id, 'paid_claim_days', avg(closed_at / 86400000000.0 - due_on) filter (where paid)
from debtor left join claim using (debtor_id) group by debtor_id;
insert into fact
select debtor_id, 'since_claim', (as_of - max(claim.registered_at)) / 86400000000.0
from here join debtor left join claim using (debtor_id) group by debtor_id;
insert into fact
select debtor_id, 'oldest_due_days', max(day - due_on)
from here join debtor left join open_claim using (debtor_id) group by debtor_id;
insert into fact
select debtor_id, 'open_sectors', count(distinct sector)
from debtor left join open_claim using (debtor_id) group by debtor_id;
insert into fact
select debtor_id, 'main_sector', (
    select code from claim join sector on word = claim.sector
    where claim.debtor_id = debtor.debtor_id group by code order by count(*) desc, code limit 1
) from debtor;
insert into fact
select debtor_id, 'outstanding_all_log', ln(1 + coalesce(sum(outstanding_eur), 0))
from debtor left join open_claim using (debtor_id) group by debtor_id;
insert into fact
select debtor_id, 'largest_open_log', ln(1 + coalesce(max(outstanding_eur), 0))
from debtor left join open_claim using (debtor_id) group by debtor_id;

insert into fact
select debtor_id, feature, coalesce(sum(holds), 0)
from debtor join (
        select 'disputed_claims' as feature, 'disputed' as name
        union all select 'held_claims', 'held'
        union all select 'plan_claims', 'on_plan'
    )
    left join (select debtor_id, name, holds from open_claim join holds using (claim_id)) using (debtor_id, name)
group by debtor_id, feature;
insert into fact
select debtor_id, 'highest_stage', max(stage_code) from debtor left join open_claim using (debtor_id) group by debtor_id;
insert into fact
select debtor_id, 'soonest_due_days', min(to_next_due)
from debtor left join open_claim using (debtor_id) group by debtor_id;

-- Contacts -----------------------------------------------------------------------------------------------------------

create table newest_first as
select debtor_id, channel, code, row_number() over (partition by debtor_id order by decided_at desc, contact_id desc) as place
from contact join channel on word = channel;

insert into fact
select debtor_id, 'last_channel', code from debtor left join newest_first using (debtor_id)
where place = 1 or place is null;

-- The run ends before the newest contact by another channel than the last one's.
insert into fact
select debtor_id, 'same_channel_run', coalesce(min(place) filter (where channel <> last_channel) - 1, count(place))
from debtor left join newest_first using (debtor_id)
    left join (select debtor_id, channel as last_channel from newest_first where place = 1) using (debtor_id)
group by debtor_id;

insert into fact
select debtor.debtor_id,
    case channel.word when 'none' then 'none_decisions_' else 'sent_' || channel.word || '_' end || span.word,
    count(contact_id)
from debtor join channel join span
    left join decision on decision.debtor_id = debtor.debtor_id and channel = channel.word and age <= us
group by debtor.debtor_id, channel.word, span.word;

insert into fact
select debtor.debtor_id, 'contacts_' || word, count(contact_id)
from debtor join (
        select word, us from span
        union all select 'in_3_days', 3 * 86400000000
        union all select 'in_7_days', 7 * 86400000000
        union all select 'in_14_days', 14 * 86400000000
    )
    left join contact on contact.debtor_id = debtor.debtor_id and age <= us
group by debtor.debtor_id, word;

insert into fact
select debtor_id, 'since_contact', min(age) / 86400000000.0 from debtor left join contact using (debtor_id) group by debtor_id;
insert into fact
select debtor.debtor_id, 'since_contact_' || word, min(age) / 86400000000.0
from debtor join channel left join contact on contact.debtor_id = debtor.debtor_id and channel = word
where word <> 'none' group by debtor.debtor_id, word;

insert into fact
select debtor_id, 'contacts_since_response', (
    select count(*) from contact
    where contact.debtor_id = debtor.debtor_id and decided_at > coalesce(max(response.at), 0)
)
from debtor left join response using (debtor_id) group by debtor_id;
insert into fact
select debtor_id, 'contacts_since_payment', (
    select count(*) from contact
    where contact.debtor_id = debtor.debtor_id and decided_at > coalesce(max(paid_at), 0)
)
from debtor left join payment using (debtor_id) group by debtor_id;

-- What came of them --------------------------------------------------------------------------------------------------

insert into fact
select debtor_id, 'since_response', (as_of - max(at)) / 86400000000.0
from here join debtor left join response using (debtor_id) group by debtor_id;
insert into fact
select debtor.debtor_id, 'since_response_' || word, (as_of - max(at)) / 86400000000.0
from here join debtor join channel left join response on response.debtor_id = debtor.debtor_id and channel = word
where word <> 'none' group by debtor.debtor_id, word;
insert into fact
select debtor.debtor_id, word, count(kind)
from debtor join (
        select 'bounced' as word union all select 'opted_out' union all select 'complained' union all select 'wrong_person'
    )
    left join event on event.debtor_id = debtor.debtor_id and kind = word
group by debtor.debtor_id, word;

insert into fact
select debtor.debtor_id, 'paid_through_' || word, count(payment_id)
from debtor join channel left join (
        select payment_id, payment.debtor_id, channel
        from payment join ever_decided using (contact_id) where known <= paid_at
    ) as through on through.debtor_id = debtor.debtor_id and channel = word
where word <> 'none' group by debtor.debtor_id, word;

insert into fact
select debtor_id, 'promises_kept', count(*) filter (where ends <= as_of and kept)
from here join debtor left join promise using (debtor_id) group by debtor_id;
insert into fact
select debtor_id, 'promises_broken', count(*) filter (where ends + 3 * 86400000000 <= as_of and not kept)
from here join debtor left join promise using (debtor_id) group by debtor_id;
insert into fact
select debtor_id, 'since_promise', (as_of - max(at)) / 86400000000.0
from here join debtor left join promise using (debtor_id) group by debtor_id;
insert into fact
select debtor_id, 'promise_due_days', (max(ends) filter (where ends > as_of) - as_of) / 86400000000.0
from here join debtor left join promise using (debtor_id) group by debtor_id;

create table last_click as
select debtor_id, max(at) as at from event where kind = 'clicked' group by debtor_id;

insert into fact
select debtor_id, 'unpaid_click_days', (as_of - at) / 86400000000.0
from here join debtor left join (
    select * from last_click
    where not exists (select 1 from payment where payment.debtor_id = last_click.debtor_id and paid_at >= at)
) using (debtor_id);

insert into fact
select debtor_id, 'response_hour', avg(hour) from debtor left join response using (debtor_id) group by debtor_id;

-- Payments -----------------------------------------------------------------------------------------------------------

insert into fact
select debtor_id, 'payment_hour', avg(hour) from debtor left join payment using (debtor_id) group by debtor_id;

-- paid_near_00, ...: payments, each counted for the hours near its own, and two more as usual, over as many as usual.
-- The bell: a normal curve of 2.5 hours, wound around the clock; the usual hours begin from one payment each.
create table bell as
select at, near, weight / sum(weight) over (partition by near) as weight
from (
    select this.code as at, other.code as near,
        sum(exp(-(this.code - other.code + turned) * (this.code - other.code + turned) / (2 * 2.5 * 2.5))) as weight
    from hour as this join hour as other
        join (select -48 as turned union all select -24 union all select 0 union all select 24 union all select 48)
    group by this.code, other.code
);

create table usual_hour as
select near as hour, sum(weight * share) as usual
from bell join (
    select code as at, (count(payment_id) + 1.0) / (sum(count(payment_id)) over () + 24) as share
    from hour left join payment on payment.hour = code
    group by code
) using (at)
group by near;

insert into fact
select debtor_id, 'paid_near_' || word, ln((coalesce(sum(weight), 0) + 2 * usual) / ((count(payment_id) + 2) * usual))
from debtor join hour join usual_hour on usual_hour.hour = code
    left join payment using (debtor_id)
    left join bell on at = payment.hour and near = code
group by debtor_id, word;

insert into fact
select debtor.debtor_id, 'payments_' || word, count(payment_id)
from debtor join span left join payment on payment.debtor_id = debtor.debtor_id and age <= us
group by debtor.debtor_id, word;
insert into fact
select debtor.debtor_id, 'paid_log_' || word, ln(1 + coalesce(sum(amount_eur), 0))
from debtor join span left join payment on payment.debtor_id = debtor.debtor_id and age <= us
group by debtor.debtor_id, word;
insert into fact
select debtor_id, 'since_payment', min(age) / 86400000000.0 from debtor left join payment using (debtor_id) group by debtor_id;
insert into fact
select debtor_id, 'payment_gap_days',
    case when count(paid_at) > 1 then (max(paid_at) - min(paid_at)) / 86400000000.0 / (count(paid_at) - 1) end
from debtor left join payment using (debtor_id) group by debtor_id;
insert into fact
select debtor_id, 'payments_reversed', coalesce(sum(reversed), 0)
from debtor left join received using (debtor_id) group by debtor_id;

-- The pay day learned: the day of the month that with the two after it saw most payments; after the 31st comes the 1st.
create table month_day as
with recursive counted (day) as (select 1 union all select day + 1 from counted where day < 31)
select day from counted;

create table paid_on as
select debtor_id, day, count(payment_id) as payments
from debtor join month_day left join payment using (debtor_id, day)
group by debtor_id, day;

create table learned as
select debtor_id, day, around
from (
    select debtor_id, day, around, row_number() over (partition by debtor_id order by around * 64 + on_day desc, day) as place
    from (
        select first.debtor_id, first.day, sum(near.payments) as around,
            sum(near.payments) filter (where near.day = first.day) as on_day
        from (select debtor_id, day from debtor, month_day) as first join paid_on as near
            on near.debtor_id = first.debtor_id
            and near.day in (first.day, first.day % 31 + 1, (first.day + 1) % 31 + 1)
        group by first.debtor_id, first.day
    )
)
where place = 1 and around >= 3;

insert into fact
select debtor_id, 'pay_day_learned', learned.day is not null from debtor left join learned using (debtor_id);
insert into fact
select debtor_id, 'pay_day_share', 1.0 * around / (
    select count(*) from payment where payment.debtor_id = debtor.debtor_id
) from debtor left join learned using (debtor_id);
insert into fact
select debtor_id, 'since_pay_day', since_pay_day(country, learned.day, here.day)
from here join debtor left join learned using (debtor_id);
insert into fact
select debtor_id, 'to_pay_day', to_pay_day(country, learned.day, here.day)
from here join debtor left join learned using (debtor_id);
