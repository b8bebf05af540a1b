# %% [markdown]
# # A tour: from tables to decisions
#
# A small portfolio is simulated, checked, turned into histories and features; a model is trained and judged; a decision
# is made for every debtor, and held against the truth that only a simulator has. Everything here is simulated: no row
# is about a real person. Every step is a function that the command line calls too; the command stands beside it.
#
# 400 debtors and ten months are far too few to learn a good policy from. They are enough to see how it works.

# %%
import os
import tempfile
from collections import Counter
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "passive")
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
os.environ.setdefault("MLFLOW_LOGGING_LEVEL", "WARNING")

import altair as alt
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
from IPython.display import SVG

from data.action_grid import ActionGrid
from data.check import check
from data.config import Config
from data.portfolio import read_portfolio
from data.simulator.settings import UNTIL, SimulationSettings
from data.simulator.simulate import simulate
from data.times import from_us, to_us
from features.catalogue import catalogue
from features.export import feature_table
from features.histories import histories_of
from features.pipeline import eur_rate
from features.reference import learn_reference
from models.behaviour import IncumbentWithRandomSlice
from models.bundle import champion
from models.control import control_actions
from models.decide import decide
from models.decision_rows import decision_table
from models.prepare import Asks, debtors_with_open_claims
from models.rules.mask import RULES, rules_version
from models.rules.pack import read_packs
from training.compare import promote
from training.figures import calibration_picture
from training.train import Order, gather, train

# Pictures are drawn here, as SVG: nothing is fetched when the page is looked at.
alt.renderers.enable("svg")

temporary = tempfile.TemporaryDirectory()
PORTFOLIO, WORKSPACE = Path(temporary.name) / "portfolio", Path(temporary.name) / "workspace"
CONFIG, PACKS = Config(), read_packs()
GRID = ActionGrid.of(CONFIG.grid)
AS_OF_US = to_us(UNTIL)


def quiet(*said: object) -> None:
    """Takes a report of progress and shows nothing."""


# %% [markdown]
# ## Tables
#
# `rettid simulate DIR --debtors 400 --months 10 --seed 1`
#
# The past was decided by a ladder of rules, which chooses by age and size of the debt and is therefore confounded with
# the debtor, and in about one decision of seven by a draw whose chances were written down.

# %%
behaviour = IncumbentWithRandomSlice(GRID, PACKS, control=CONFIG.control)
simulate(
    PORTFOLIO, settings=SimulationSettings(400, months=10, seed=1), behaviour=behaviour, config=CONFIG, progress=quiet
)
print("\n".join(check(PORTFOLIO).lines()))

# %%
portfolio = read_portfolio(PORTFOLIO)
tables = {name: portfolio[name].to_pandas() for name in ("debtors", "claims", "contacts", "contact_events", "payments")}
tables["contacts"][
    ["contact_id", "claim_id", "decided_at", "channel", "send_at", "policy", "action_probability"]
].head()

# %% [markdown]
# What was decided, by whom. `none` is a decision like any other, and is in the log.

# %%
decided_before = tables["contacts"].drop_duplicates("contact_id")
alt.Chart(decided_before.groupby(["policy", "channel"], observed=True).size().reset_index(name="decisions")).mark_bar(
    color="#0072B2"
).encode(x="decisions:Q", y=alt.Y("channel:N", sort="-x", title=None), column=alt.Column("policy:N", title=None))

# %% [markdown]
# ## The history of one debtor
#
# The debtor with the most events. Contacts on top, what came of them in the middle, payments below.

# %%
owner = decided_before.set_index("contact_id")["debtor_id"]
happened = tables["contact_events"].assign(debtor_id=lambda rows: rows["contact_id"].map(owner))
somebody = happened["debtor_id"].value_counts().index[0]


def course(rows: pd.DataFrame, lane: str, *, time: str, what: str) -> pd.DataFrame:
    """Rows of the debtor as points on a lane: when, and what."""
    mine = rows[rows["debtor_id"] == somebody]
    return pd.DataFrame({"lane": lane, "when": mine[time], "what": mine[what].astype(str)})


life = pd.concat(
    [
        course(decided_before, "contact", time="decided_at", what="channel"),
        course(happened, "what came of it", time="at", what="kind"),
        course(tables["payments"], "payment", time="paid_at", what="method"),
    ]
)
alt.Chart(life, width=640, height=150, title=f"debtor {somebody} (simulated)").mark_tick(thickness=2, size=26).encode(
    x=alt.X("when:T", title=None),
    y=alt.Y("lane:N", sort=["contact", "what came of it", "payment"], title=None),
    color=alt.Color("what:N", title=None, scale=alt.Scale(scheme="category20")),
)

# %% [markdown]
# ## Features
#
# `rettid features DIR --as-of T --out FILE`
#
# Histories are arrays sorted by debtor and time. One function turns them into features, for training, batch and service
# alike; a fact counts when it happened, and was known, before the moment.

# %%
histories = histories_of(portfolio, channels=CONFIG.grid.channels)
owing = debtors_with_open_claims(histories, AS_OF_US)
reference = learn_reference(histories, until_us=AS_OF_US, config=CONFIG)
features = feature_table(histories, as_of_us=AS_OF_US, reference=reference, rates=CONFIG.rates).to_pandas()
print(f"{len(features)} open claims of {len(owing)} debtors, {len(catalogue(CONFIG.grid.channels))} features")
meanings = pd.DataFrame(
    [{"feature": one.name, "what it means": one.meaning, "unit": one.unit} for one in catalogue(CONFIG.grid.channels)]
)
shown = [
    "income_band", "open_claims", "outstanding_all_log", "contacts_30", "since_contact", "last_channel",
    "clicked_rate_sms_90", "paid_after_rate_none_ever", "payments_365", "to_pay_day", "outstanding_log", "stage",
]  # fmt: skip
meanings.assign(value=meanings["feature"].map(features.iloc[0])).set_index("feature").loc[shown]

# %% [markdown]
# ## Train
#
# `rettid train DIR --as-of T --set rounds=40`
#
# Every decision whose horizon of 14 days was over is a row. Three debtors in ten are never learnt from; the last three
# decisions in ten, by time, are for calibration and judgement. The policy's value is estimated from drawn decisions
# only. With this few the estimate is refused, or its interval is wide; both are right.

# %%
material = gather(portfolio, as_of_us=AS_OF_US, config=CONFIG, packs=PACKS, seed=1, progress=quiet)
trained = train(material, Order("lightgbm", {"rounds": 40}), workspace=WORKSPACE, progress=quiet)
print("\n".join(line for line in trained.lines() if not line.startswith(("run", "bundle"))))

# %% [markdown]
# Predicted chance of payment against what was observed, in ten groups of judged decisions.

# %%
SVG(calibration_picture(trained.judgement.bins))

# %% [markdown]
# ## Decide
#
# `rettid promote lightgbm --force REASON`, `rettid decide DIR --as-of T --out FILE.parquet --greedy`
#
# For each debtor: the rules strike out what may not be done, the model gives the chance of payment under every action
# that is left, and the value of an action is what it brings in over `none`, less cost and harm.

# %%
promote(WORKSPACE, "lightgbm", force="a tour on a small simulated portfolio")
decided = decide(
    histories,
    Asks(owing, np.full(len(owing), AS_OF_US)),
    champion=champion(WORKSPACE),
    config=CONFIG,
    packs=PACKS,
    everyone_champion=True,
)
allowed, value_eur, action = decided.prepared.allowed, decided.scored.value_eur, decided.choice.action
decisions = decision_table(decided, packs_version=rules_version(PACKS)).to_pandas()
decisions[
    ["debtor_id", "claim_id", "lead", "channel", "send_at", "payment_probability", "uplift", "expected_value", "tone"]
].head()

# %% [markdown]
# ### Every action of one debtor
#
# One square for each channel and slot of the coming week; white is barred, and the reason stands in the decision.

# %%
row = int(np.argmax(allowed.sum(axis=1)))


def over_grid(eur: np.ndarray, *, title: str) -> alt.Chart:
    """EUR of every action of the debtor in `row`, by channel and slot."""
    here = np.flatnonzero(allowed[row])[1:]
    frame = pd.DataFrame(
        {
            "channel": [GRID.channels[code] for code in GRID.channel[here]],
            "slot": [f"day {day}, {hour:02d}" for day, hour in zip(GRID.day[here], GRID.hour[here], strict=True)],
            "EUR over none": eur[here],
        }
    )
    return (
        alt.Chart(frame, width=680, height=130, title=title)
        .mark_rect()
        .encode(
            x=alt.X("slot:N", title="day after as_of, local hour", axis=alt.Axis(labelFontSize=7)),
            y=alt.Y("channel:N", title=None),
            color=alt.Color("EUR over none:Q", scale=alt.Scale(scheme="blueorange", domainMid=0)),
        )
    )


print(GRID.label(int(action[row])), "is chosen;", "barred:", decided.prepared.mask.blocked(row))
over_grid(value_eur[row], title=f"what the model expects of debtor {histories.debtor_id[owing[row]]}")

# %% [markdown]
# ### All decisions
#
# Why a channel is shut for a debtor, and what was chosen.

# %%
names = np.array(GRID.channels)[GRID.channel[action]]
counts = pd.DataFrame({"channel": names}).value_counts().reset_index(name="debtors")
chosen = alt.Chart(counts, width=260, title="chosen").mark_bar(color="#0072B2")
shut = Counter(rule for debtor in range(len(owing)) for _, rule in decided.prepared.mask.blocked(debtor))
why = pd.DataFrame([{"rule": rule.name, "channels shut": shut[rule.name]} for rule in RULES if shut[rule.name]])
barred = alt.Chart(why, width=260, title="shut, by the first rule that left no slot").mark_bar(color="#999999")
chosen.encode(x="debtors:Q", y=alt.Y("channel:N", sort="-x", title=None)) | barred.encode(
    x="channels shut:Q", y=alt.Y("rule:N", sort="-x", title=None)
)

# %% [markdown]
# ## The truth beside it
#
# `DIR/truth/actions.parquet` holds, for every lawful action, what the simulated debtor would pay. No model sees it.
# First the same debtor as above.

# %%
truth = pq.read_table(PORTFOLIO / "truth" / "actions.parquet").to_pandas()
currency = tables["claims"].set_index("claim_id")["currency"]
moment_us = np.full(len(truth), AS_OF_US)
truth["eur"] = truth["expected_paid"] * eur_rate(
    truth["claim_id"].map(currency).to_numpy(), moment_us, rates=CONFIG.rates
)
truth["send_at"] = truth["send_at"].fillna(pd.Timestamp(0, tz="UTC"))
paid = truth.groupby(["debtor_id", "channel", "send_at"])["eur"].sum()

of_debtor, cell = np.nonzero(allowed)
send_us = np.maximum(decided.slots.send_us[decided.slots.of_debtor[of_debtor], cell], 0) * (cell > 0)
keys = [
    histories.debtor_id[owing[of_debtor]],
    np.array(GRID.channels)[GRID.channel[cell]],
    pd.to_datetime(send_us, unit="us", utc=True),
]
net = np.full(allowed.shape, np.nan)
net[of_debtor, cell] = paid.reindex(pd.MultiIndex.from_arrays(keys)).to_numpy()
net = net - net[:, :1] - decided.price.total[:, GRID.channel]
net[:, 0] = 0.0

over_grid(net[row], title="the truth about the same debtor (simulated)")

# %% [markdown]
# Then all debtors: mean true net value of the incumbent's rules, of the model and of the best allowed action. What a
# model of this size reaches is a matter of luck; figures from portfolios of a useful size stand in `docs/figures.md`.

# %%
rules = control_actions(decided.prepared.situation, decided.prepared.mask, settings=CONFIG.control, grid=GRID)
everyone = np.arange(len(owing))
best = np.nanargmax(net, axis=1)
policies = {"no contact": best * 0, "incumbent's rules": rules, "model": action, "best allowed action": best}
pd.DataFrame(
    {
        "policy": list(policies),
        "EUR over none, a debtor": [round(float(net[everyone, one].mean()), 2) for one in policies.values()],
        "contacts": [int((one > 0).sum()) for one in policies.values()],
    }
)

# %%
print("history until", from_us(AS_OF_US).isoformat(), "- all of it simulated")
temporary.cleanup()
