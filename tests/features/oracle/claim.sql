-- Facts of each open claim.

insert into fact
select claim_id, 'sector', code from open_claim join sector on word = open_claim.sector;
insert into fact select claim_id, 'outstanding_log', ln(1 + outstanding_eur) from open_claim;
insert into fact
select claim_id, 'share_paid', 1 - outstanding / max(principal_cents / 100.0, 0.01) from open_claim;
insert into fact
select claim_id, 'share_of_all', case when owes > 0 then outstanding_eur / owes end
from open_claim join (select debtor_id, sum(outstanding_eur) as owes from open_claim group by debtor_id) using (debtor_id);
insert into fact select claim_id, 'days_past_due', day - due_on from open_claim, here;
insert into fact select claim_id, 'claim_days', (as_of - registered_at) / 86400000000.0 from open_claim, here;
insert into fact
select claim_id, 'claim_payments', count(payment_id) from open_claim left join payment using (claim_id) group by claim_id;
insert into fact
select claim_id, 'since_claim_payment', min(age) / 86400000000.0
from open_claim left join payment using (claim_id) group by claim_id;
insert into fact
select claim_id, 'contacts_since_claim', (
    select count(*) from contact
    where contact.debtor_id = open_claim.debtor_id and decided_at >= registered_at
) from open_claim;
insert into fact
select claim_id, 'sector_claims', (
    select count(*) - 1 from claim
    where claim.debtor_id = open_claim.debtor_id and claim.sector = open_claim.sector
) from open_claim;
insert into fact
select claim_id, 'creditor_claims', (
    select count(*) - 1 from claim
    where claim.debtor_id = open_claim.debtor_id and claim.creditor_id = open_claim.creditor_id
) from open_claim;
insert into fact select claim_id, 'stage', stage_code from open_claim;
insert into fact select claim_id, 'stage_days', (as_of - at) / 86400000000.0 from open_claim, here;
insert into fact select claim_id, 'to_next_due', to_next_due from open_claim;
insert into fact
select claim_id, 'plans_broken', count(kind) filter (where kind = 'plan_broken')
from open_claim left join course using (claim_id) group by claim_id;
insert into fact
select claim_id, 'disputes', count(kind) filter (where kind = 'dispute_opened')
from open_claim left join course using (claim_id) group by claim_id;
insert into fact
select claim_id, 'since_inbound', (as_of - max(course.at) filter (where kind = 'inbound')) / 86400000000.0
from here join open_claim left join course using (claim_id) group by claim_id;
