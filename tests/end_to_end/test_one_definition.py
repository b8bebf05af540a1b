"""One definition of the features, three uses: training frame, nightly batch and service give the same bits."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from data.config import SIMULATED_TENANT
from data.decision_log import DecisionLog
from data.layout import lay_out
from data.portfolio import Portfolio, read_portfolio
from data.simulator.settings import UNTIL, SimulationSettings
from data.simulator.simulate import simulate
from data.times import DAY_US, to_us
from features.catalogue import claim_features, debtor_features, names
from features.histories import histories_of
from features.reference import learn_reference
from features.run import FeatureOrder, Written, write_features
from features.store import StoredHistories, load, save
from features.tables import Histories
from models.prepare import Asks, Prepared, prepare
from serving.base_portfolio import BasePortfolio
from serving.state import facts_of, portfolio_of
from tests.deciding import PACKS, bundle_of, rate_model
from tests.portfolios import CHANNELS
from tests.simulator_fakes import Fake
from training.rows import NoTrainingRows, TrainingRows, training_blocks, training_rows
from training.training_frame import write_training_frame

CASES = 5_000
CONFIG = SIMULATED_TENANT
COLUMNS = names((*debtor_features(CHANNELS), *claim_features()))


@dataclass(frozen=True)
class World:
    """A simulated portfolio, on disk and in memory, and its training rows."""

    folder: Path
    portfolio: Portfolio
    histories: Histories
    rows: TrainingRows

    def prepared(self, histories: Histories, debtor: np.ndarray, as_of_us: np.ndarray) -> Prepared:
        """What batch and service alike make of debtors at moments, before any value is put on it."""
        reference = learn_reference(self.histories, until_us=to_us(UNTIL), config=CONFIG)
        bundle = bundle_of(histories, rate_model(), reference=reference)
        return prepare(histories, Asks(debtor, as_of_us), config=CONFIG, packs=PACKS, bundle=bundle)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    folder = tmp_path_factory.mktemp("one") / "portfolio"
    settings = SimulationSettings(400, months=14, seed=11, truth=0)
    simulate(folder, settings=settings, behaviour=Fake(CONFIG), config=CONFIG, progress=lambda what, share: None)
    portfolio = read_portfolio(folder)
    histories = histories_of(portfolio, channels=CHANNELS)
    reference = learn_reference(histories, until_us=to_us(UNTIL), config=CONFIG)
    rows = training_rows(portfolio, histories, as_of_us=to_us(UNTIL), reference=reference, config=CONFIG)
    return World(folder, portfolio, histories, rows)


def some_cases(rows: TrainingRows) -> np.ndarray:
    """Rows of the training frame, 5,000 of them, in order."""
    assert len(rows) >= CASES
    return np.sort(np.random.default_rng(1).choice(len(rows), CASES, replace=False))


def by_case(prepared: Prepared) -> dict[tuple[str, int], np.ndarray]:
    """Feature rows by claim and moment."""
    targets, claim_id = prepared.targets, prepared.histories.claim_id
    keys = zip(claim_id[targets.claim].tolist(), targets.as_of_us[targets.moment].tolist(), strict=True)
    return dict(zip(keys, prepared.rows.matrix, strict=True))


def differences(world: World, found: dict[tuple[str, int], np.ndarray]) -> list[str]:
    """Every feature of every case that is not the same to the last bit in the training frame."""
    wrong = []
    for number in some_cases(world.rows):
        key = (world.histories.claim_id[world.rows.claim[number]], int(world.rows.decided_us[number]))
        expected, given = world.rows.matrix[number, : len(COLUMNS)], found[key]
        bad = np.flatnonzero(expected.view(np.uint32) != given.view(np.uint32))
        wrong += [f"{key}: {COLUMNS[k]} is {given[k]}, in training {expected[k]}" for k in bad]
    return wrong


def test_the_nightly_batch_gives_the_bits_of_the_training_frame(world: World) -> None:
    chosen = some_cases(world.rows)
    moments = sorted({(int(world.rows.debtor[k]), int(world.rows.decided_us[k])) for k in chosen})
    debtor, as_of_us = (np.array(column) for column in zip(*moments, strict=True))
    assert not differences(world, by_case(world.prepared(world.histories, debtor, as_of_us)))


def test_the_service_gives_the_bits_of_the_training_frame(world: World, tmp_path: Path) -> None:
    base, found = BasePortfolio.of(world.portfolio), {}
    chosen = some_cases(world.rows)
    with closing(DecisionLog.open(tmp_path)) as log, log.reading() as connection:
        for debtor in np.unique(world.rows.debtor[chosen]).tolist():
            facts = facts_of(connection, base, world.histories.debtor_id[debtor])
            alone = histories_of(portfolio_of([facts], given=base.given), channels=CHANNELS)
            moments = np.unique(world.rows.decided_us[chosen[world.rows.debtor[chosen] == debtor]])
            found |= by_case(world.prepared(alone, np.zeros(len(moments), dtype=np.int64), moments))
    assert not differences(world, found)


def test_training_rows_in_blocks_are_the_training_rows(world: World) -> None:
    reference = learn_reference(world.histories, until_us=to_us(UNTIL), config=CONFIG)
    blocks = training_blocks(
        world.portfolio, world.histories, as_of_us=to_us(UNTIL), reference=reference, config=CONFIG, size=700
    )
    parts = list(blocks)
    assert len(parts) > 3
    for name in ("matrix", "paid", "amount_eur", "claim", "contact_id"):
        whole = np.concatenate([getattr(part, name) for part in parts])
        np.testing.assert_array_equal(whole, getattr(world.rows, name), err_msg=name)


def test_histories_kept_on_disk_are_the_histories(world: World, tmp_path: Path) -> None:
    save(world.histories, tmp_path / "one.npz")
    kept = load(tmp_path / "one.npz")
    for name in ("profiles", "points", "claims", "claim_events", "contacts", "contact_events", "payments"):
        for column, expected in getattr(world.histories, name)._asdict().items():
            np.testing.assert_array_equal(getattr(getattr(kept, name), column), expected, err_msg=f"{name}.{column}")
    for name in ("debtor_id", "claim_id", "language", "country", "place", "birth_day", "registered_us"):
        np.testing.assert_array_equal(getattr(kept, name), getattr(world.histories, name), err_msg=name)
    for name in ("channels", "countries", "sectors", "currencies", "places", "missing"):
        assert getattr(kept, name) == getattr(world.histories, name), name


def test_histories_are_made_anew_when_a_table_has_changed(world: World, tmp_path: Path) -> None:
    folder = tmp_path / "portfolio"
    folder.mkdir()
    for path in world.folder.glob("*.parquet"):
        (folder / path.name).write_bytes(path.read_bytes())
    stored = StoredHistories(folder, CHANNELS, tmp_path / "store")
    for _ in range(2):
        assert next(iter(stored)).size == world.histories.size
    assert len(list((tmp_path / "store").iterdir())) == 1
    (folder / "payments.parquet").write_bytes((world.folder / "payments.parquet").read_bytes())
    assert len(next(iter(stored)).payments.paid_us) == len(world.histories.payments.paid_us)
    assert len(list((tmp_path / "store").iterdir())) == 1  # nothing of the older files is kept


def test_histories_cut_short_on_disk_are_made_anew(world: World, tmp_path: Path) -> None:
    stored = StoredHistories(world.folder, CHANNELS, tmp_path)
    size = next(iter(stored)).size
    (path,) = tmp_path.iterdir()
    path.write_bytes(path.read_bytes()[:1000])
    assert next(iter(stored)).size == size
    assert len(load(path).claim_id) == len(world.histories.claim_id)


def test_shifting_everything_after_a_decision_changes_none_of_its_features(world: World) -> None:
    """Every fact at or after the moment is moved a second further, and every fact known then is told a second later."""
    moment_us = to_us(UNTIL) - 60 * DAY_US
    later = shifted(world.portfolio, moment_us)
    debtor = np.arange(world.histories.size)
    as_of_us = np.full(len(debtor), moment_us)
    before = world.prepared(world.histories, debtor, as_of_us)
    after = world.prepared(histories_of(later, channels=CHANNELS), debtor, as_of_us)
    assert before.rows.matrix.tobytes() == after.rows.matrix.tobytes()


def shifted(portfolio: Portfolio, moment_us: int) -> Portfolio:
    """The portfolio with every instant from `moment_us` on moved by a second, but those that say until when something holds."""
    tables = {}
    for name in portfolio.tables:
        table = portfolio[name]
        for place, field in enumerate(table.schema):
            if pa.types.is_timestamp(field.type):
                us = np.asarray(table[field.name].cast(pa.int64()).fill_null(0).to_numpy())
                moved = pa.array(us + np.where(us >= moment_us, 1_000_000, 0), mask=us == 0)
                table = table.set_column(place, field, moved.cast(field.type))
        tables[name] = table
    return Portfolio.from_tables(tables, checked=False)


@pytest.mark.parametrize("table", ["claims", "contacts", "debtors"])
def test_a_planted_column_that_knows_the_future_is_no_feature_and_changes_none(world: World, table: str) -> None:
    paid = set(world.portfolio["payments"]["claim_id"].to_pylist())
    rows = world.portfolio[table]
    key = "claim_id" if table != "debtors" else "debtor_id"
    flag = pa.array([float(one in paid) for one in rows[key].to_pylist()])
    planted = {name: world.portfolio[name] for name in world.portfolio.tables}
    planted[table] = rows.append_column("will_pay", flag)
    found = histories_of(Portfolio.from_tables(planted, checked=False), channels=CHANNELS)
    debtor, as_of_us = np.arange(found.size), np.full(found.size, to_us(UNTIL - timedelta(days=90)))
    expected = world.prepared(world.histories, debtor, as_of_us).rows.matrix
    assert world.prepared(found, debtor, as_of_us).rows.matrix.tobytes() == expected.tobytes()
    assert not [name for name in COLUMNS if "will_pay" in name]


@pytest.fixture(scope="module")
def laid_out(world: World) -> Path:
    out = world.folder.parent / "laid_out"
    lay_out(world.folder, out, shards=3, progress=lambda what, share: None)
    return out


def by_claim(file: Path, *keys: str) -> pa.Table:
    table = pq.read_table(file)
    plain = [
        table[name].cast(pa.string()) if pa.types.is_dictionary(table[name].type) else table[name]
        for name in table.column_names
    ]
    return pa.table(plain, names=table.column_names).sort_by([(key, "ascending") for key in keys])


@pytest.mark.parametrize(
    ("write", "keys"),
    [(write_features, ("claim_id",)), (write_training_frame, ("claim_id", "contact_id"))],
    ids=["open claims", "training frame"],
)
def test_a_file_written_shard_by_shard_is_that_of_the_whole(
    world: World, laid_out: Path, tmp_path: Path, write: Callable[..., Written], keys: tuple[str, ...]
) -> None:
    order = FeatureOrder(to_us(UNTIL), CONFIG, tmp_path / "store")
    files = []
    for number, folder in enumerate((world.folder, laid_out)):
        files.append(tmp_path / f"{number}.parquet")
        done = write(folder, files[-1], order=order, progress=lambda what, share: None)
        assert done.rows == pq.read_metadata(files[-1]).num_rows > 0
    assert by_claim(files[0], *keys).equals(by_claim(files[1], *keys))


def test_the_training_frame_holds_the_training_rows(world: World, tmp_path: Path) -> None:
    file = tmp_path / "frame.parquet"
    order = FeatureOrder(to_us(UNTIL), CONFIG, tmp_path / "store")
    write_training_frame(world.folder, file, order=order, progress=lambda what, share: None)
    frame = pq.read_table(file)
    assert frame["contact_id"].to_pylist() == world.rows.contact_id.tolist()
    assert frame["paid"].to_pylist() == world.rows.paid.astype(int).tolist()
    for name in ("sent_sms_90", "clicked_rate_email_365", "outstanding_log", "arrival_to_pay_day"):
        column = frame[name].to_numpy()
        np.testing.assert_array_equal(column, world.rows.matrix[:, world.rows.names.index(name)], err_msg=name)
    assert set(frame["channel"].unique().to_pylist()) <= set(CHANNELS)


def test_a_file_that_could_not_be_finished_is_not_there(world: World, tmp_path: Path) -> None:
    order = FeatureOrder(to_us(UNTIL) - 3_000 * DAY_US, CONFIG, tmp_path / "store")
    with pytest.raises(NoTrainingRows, match="are decisions on an open claim"):
        write_training_frame(world.folder, tmp_path / "none.parquet", order=order, progress=lambda what, share: None)
    assert not (tmp_path / "none.parquet").exists()
