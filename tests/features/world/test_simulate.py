"""The simulated world keeps its own rules, and its truth is what the data really do."""

import duckdb
import numpy as np
import pandas as pd
import pytest

from features.catalogue.tables import TABLES
from features.errors import SettingsError
from features.settings import load_settings
from features.world.accounts import draw_accounts
from features.world.arms import ARMS, PROPENSITY
from features.world.arrays import generator
from features.world.calendar import calendar
from features.world.expectation import outlook
from features.world.health import RATE_SLOPE, hazard, next_health
from features.world.lives import live
from features.world.simulate import TRUTH, simulate_world
from features.world.statistics import of_online_retail, of_world, purchase_statistics
from tests.places import SHARED

CUSTOMERS = 8000
END = pd.Timestamp("2026-01-01")


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    return simulate_world(tmp_path_factory.mktemp("world"), customers=CUSTOMERS, years=3, seed=5)


@pytest.fixture(scope="module")
def sql(world):
    """Run a query over the world's files, each a view of its table's name."""
    connection = duckdb.connect()
    for name in world.rows:
        connection.execute(f"CREATE VIEW {name} AS FROM '{world.folder / f'{name}.parquet'}'")
    yield lambda query: connection.sql(query).df()
    connection.close()


@pytest.fixture(scope="module")
def lived():
    """Months, accounts and lives of many accounts, without any files."""
    months = calendar(END.to_pydatetime(), 3)
    accounts = draw_accounts(generator(9, "accounts"), months, 30_000, 100.0)
    return months, accounts, live(months, accounts, 9)


def count(sql, query):
    return int(sql(f"SELECT count(*) AS n FROM ({query})")["n"][0])


NOT_WRITTEN = {"known_at", "currency", "billing_months", "renews", "invoice_id", "deal_id"}


def test_the_settings_bind_every_table_by_its_canonical_columns(world, sql):
    settings = load_settings(world.settings)
    assert (settings.currency, settings.timezone, settings.ltv.horizon_days) == ("JPY", "Asia/Tokyo", 365)
    assert set(settings.tables) == set(TABLES)
    for name, table in TABLES.items():
        have = list(sql(f"SELECT * FROM {name} LIMIT 0"))
        assert list(settings.tables[name].columns) == have
        assert set(have) >= {column.name for column in table.columns} - NOT_WRITTEN - (
            {"product_id"} if name == "deals" else set()
        )
        assert world.rows[name] == count(sql, f"FROM {name}") > 0


def test_files_hold_the_types_of_the_schema(sql):
    for name, table in TABLES.items():
        types = sql(f"DESCRIBE {name}").set_index("column_name")["column_type"]
        for column in types.index:
            assert types[column] == table.column(column).kind.sql


def test_the_same_seed_gives_the_same_files_and_another_seed_others(tmp_path):
    for folder, seed in (("a", 1), ("b", 1), ("c", 2)):
        simulate_world(tmp_path / folder, customers=150, years=2, seed=seed)
    for name in (*TABLES, *TRUTH):
        a, b, c = ((tmp_path / folder / f"{name}.parquet").read_bytes() for folder in "abc")
        assert a == b
        assert a != c


def test_a_previous_world_is_replaced_and_anything_else_is_refused(tmp_path):
    simulate_world(tmp_path, customers=20, years=0.5, seed=1)
    again = simulate_world(tmp_path, customers=30, years=0.5, seed=1)
    assert again.rows["customers"] == 30
    assert not list(tmp_path.glob("*.partial"))
    (tmp_path / "thesis.docx").write_text("precious")
    with pytest.raises(SettingsError, match=r"thesis\.docx"):
        simulate_world(tmp_path, customers=20, years=0.5, seed=1)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"customers": 0}, "customers is 0"),
        ({"seed": -1}, "seed is -1"),
        ({"years": 0.1}, "years is 0.1"),
        ({"end": pd.Timestamp("2026-01-15").to_pydatetime()}, "first of a month"),
    ],
)
def test_impossible_arguments_are_refused_before_anything_is_written(tmp_path, change, message):
    with pytest.raises(SettingsError, match=message):
        simulate_world(tmp_path / "w", **({"customers": 10, "years": 1, "seed": 1} | change))
    assert not (tmp_path / "w").exists()


def test_a_short_world_has_no_experiment_but_all_files(tmp_path):
    world = simulate_world(tmp_path, customers=60, years=1, seed=3)
    assert world.experiments == ()
    assert world.rows["assignments"] == world.rows["truth_effects"] == 0
    assert (tmp_path / "truth_effects.parquet").exists()


def test_keys_are_unique_and_every_row_belongs_to_an_account(sql):
    for name, table in TABLES.items():
        if table.key:
            assert (
                count(sql, f"SELECT {', '.join(table.key)} FROM {name} GROUP BY ALL HAVING count(*) > 1") == 0
            )
        assert count(sql, f"FROM {name} WHERE customer_id NOT IN (SELECT customer_id FROM customers)") == 0
        required = [column.name for column in table.columns if column.required]
        assert count(sql, f"FROM {name} WHERE {' OR '.join(f'{c} IS NULL' for c in required)}") == 0
    assert count(sql, "SELECT order_id FROM orders GROUP BY ALL HAVING count(DISTINCT customer_id) > 1") == 0


def test_nothing_is_dated_after_the_end_and_late_rows_are_known_late(sql):
    for name, table in TABLES.items():
        assert count(sql, f"FROM {name} WHERE {table.time} >= '{END}'") == 0
    late = {}
    for name in ("customers", "orders", "invoices", "costs"):
        time = TABLES[name].time
        assert count(sql, f"FROM {name} WHERE known_at <= {time} OR known_at >= '{END}'") == 0
        late[name] = count(sql, f"FROM {name} WHERE known_at IS NOT NULL") / count(sql, f"FROM {name}")
    assert 0.01 < late["orders"] < 0.05
    assert 0.01 < late["invoices"] < 0.06
    assert late["costs"] == 1.0


def test_nobody_buys_before_the_opening_or_after_the_departure(sql):
    assert count(sql, "FROM orders JOIN customers USING (customer_id) WHERE occurred_at < created_at") == 0
    assert count(sql, "FROM orders JOIN truth USING (customer_id) WHERE occurred_at >= churned_at") == 0
    assert count(sql, "FROM tickets JOIN truth USING (customer_id) WHERE opened_at >= churned_at") == 0
    assert count(sql, "FROM truth WHERE alive_at_end AND churned_at IS NOT NULL") == 0


def test_terms_follow_one_another_and_notice_ends_the_last(sql):
    terms = (
        "SELECT *, lead(starts_at) OVER (PARTITION BY contract_id ORDER BY starts_at) AS next FROM contracts"
    )
    assert (
        count(sql, f"FROM ({terms}) WHERE next IS NOT NULL AND (next <> ends_at OR cancelled_at IS NOT NULL)")
        == 0
    )
    assert count(sql, "FROM contracts WHERE cancelled_at < starts_at OR cancelled_at >= ends_at") == 0
    ended = f"FROM ({terms}) WHERE next IS NULL AND ends_at < '{END}'"
    assert count(sql, ended) == count(sql, f"{ended} AND cancelled_at IS NOT NULL") > 100
    gone = (
        f"SELECT t.* FROM ({terms}) t JOIN truth USING (customer_id) WHERE next IS NULL AND ends_at < '{END}'"
    )
    assert count(sql, f"{gone} AND churned_at IS DISTINCT FROM ends_at") == 0
    assert count(sql, "SELECT contract_id FROM contracts GROUP BY ALL HAVING count(DISTINCT seats) > 1") > 200


def test_invoices_lie_inside_a_term_and_ask_its_amount(sql):
    inside = """FROM invoices i JOIN contracts c ON c.customer_id = i.customer_id AND i.amount = c.monthly_amount
        AND i.issued_at >= c.starts_at AND i.issued_at < c.ends_at"""
    assert count(sql, inside) == count(sql, "FROM invoices")
    assert count(sql, "FROM invoices WHERE paid_at < issued_at OR due_at < issued_at") == 0


def test_deals_precede_contracts_and_cases_close_after_they_open(sql):
    first = "SELECT customer_id, min(starts_at) AS starts_at FROM contracts GROUP BY ALL"
    won = "FROM deals WHERE kind = 'new' AND won"
    assert (
        count(
            sql, f"SELECT d.* FROM ({won}) d JOIN ({first}) USING (customer_id) WHERE closed_at > starts_at"
        )
        == 0
    )
    fresh = f"SELECT * FROM ({first}) JOIN customers USING (customer_id) WHERE created_at > '2023-01-01'"
    fresh = f"SELECT * FROM ({fresh}) JOIN truth USING (customer_id)"
    assert count(sql, fresh) == count(sql, f"FROM ({fresh}) SEMI JOIN ({won}) USING (customer_id)") > 300
    assert count(sql, "FROM deals WHERE closed_at <= opened_at OR (won IS NULL) <> (closed_at IS NULL)") == 0
    assert count(sql, "FROM tickets WHERE closed_at < opened_at") == 0
    assert count(sql, "FROM tickets WHERE satisfaction IS NOT NULL AND closed_at IS NULL") == 0


def before_notice(sql, table, time, value):
    """Monthly means 0–3 and 6–12 months before notice, of leavers and of others on the same dates."""
    return sql(f"""
        WITH notice AS (
            SELECT customer_id, max(cancelled_at) AS told, min(starts_at) AS since FROM contracts GROUP BY ALL
            HAVING told >= '2024-01-01' AND since < told - INTERVAL 12 MONTH
        ), stays AS (
            SELECT customer_id FROM contracts GROUP BY ALL
            HAVING max(cancelled_at) IS NULL AND min(starts_at) <= '2023-02-01'
        ), stayer AS (SELECT customer_id, row_number() OVER (ORDER BY customer_id) AS k FROM stays),
        dates AS (SELECT told, row_number() OVER (ORDER BY told) AS k, count(*) OVER () AS n FROM notice),
        pairs AS (
            SELECT customer_id, told, TRUE AS leaver FROM notice UNION ALL
            SELECT s.customer_id, d.told, FALSE FROM stayer s JOIN dates d ON d.k = 1 + (s.k % d.n)
        ), sums AS (
            SELECT p.customer_id, leaver,
                coalesce(sum({value}) FILTER (e.{time} >= told - INTERVAL 3 MONTH), 0) / 3 AS late,
                coalesce(sum({value}) FILTER (e.{time} < told - INTERVAL 6 MONTH), 0) / 6 AS early
            FROM pairs p LEFT JOIN {table} e
                ON e.customer_id = p.customer_id AND e.{time} < told AND e.{time} >= told - INTERVAL 12 MONTH
            GROUP BY ALL
        ) SELECT leaver, late, early FROM sums
    """)


def test_usage_falls_before_notice_and_not_otherwise(sql):
    seen = before_notice(sql, "usage", "occurred_at", "events")
    change = np.log((seen["late"] + 1) / (seen["early"] + 1))
    leaver, stayer = change[seen["leaver"]], change[~seen["leaver"]]
    error = np.hypot(leaver.sem(), stayer.sem())
    assert leaver.mean() < -0.2
    assert leaver.mean() - stayer.mean() < -4 * error


def test_support_cases_rise_before_notice_and_not_otherwise(sql):
    seen = before_notice(sql, "tickets", "opened_at", "1")
    change = seen["late"] - seen["early"]
    leaver, stayer = change[seen["leaver"]], change[~seen["leaver"]]
    assert leaver.mean() > 0
    assert leaver.mean() - stayer.mean() > 3 * np.hypot(leaver.sem(), stayer.sem())


def test_the_engaged_open_more_newsletters(sql):
    rates = sql("""
        WITH visits AS (
            SELECT customer_id, count(*) FILTER (kind IN ('web_visit', 'seminar')) AS v,
                count(*) FILTER (kind = 'email_opened') AS opened, count(*) FILTER (kind = 'email_sent') AS sent,
                count(*) FILTER (kind = 'email_clicked') AS clicked
            FROM engagement GROUP BY ALL HAVING sent >= 12
        ) SELECT ntile(3) OVER (ORDER BY v / sent) AS third, opened / sent AS opens, clicked, opened FROM visits
    """)
    mean = rates.groupby("third")["opens"].mean()
    assert mean[3] > 1.5 * mean[1]
    assert (rates["clicked"] <= rates["opened"]).all()


def test_arms_are_drawn_with_their_stated_propensities(world, sql):
    assert PROPENSITY.sum() == pytest.approx(1.0)
    drawn = sql("SELECT experiment_id, arm, propensity, count(*) AS n FROM assignments GROUP BY ALL")
    assert set(drawn["experiment_id"]) == set(world.experiments)
    for _, part in drawn.groupby("experiment_id"):
        assert set(part["arm"]) == set(ARMS)
        assert part["propensity"].sum() == pytest.approx(1.0)
        expected = part["propensity"] * part["n"].sum()
        # 99.9 % quantile of chi-square with four degrees of freedom.
        assert ((part["n"] - expected) ** 2 / expected).sum() < 18.5


@pytest.fixture(scope="module")
def outcomes(sql):
    """Margin and cost in the year after assignment beside their expectations under the arm drawn."""
    return sql("""
        WITH members AS (FROM truth_effects JOIN assignments USING (experiment_id, customer_id, arm)),
        earned AS (
            SELECT m.experiment_id, m.customer_id, sum(o.margin) AS margin FROM members m
            JOIN orders o ON o.customer_id = m.customer_id AND occurred_at >= assigned_at
                AND occurred_at < assigned_at + INTERVAL 12 MONTH
            GROUP BY ALL
        ), spent AS (
            SELECT m.experiment_id, m.customer_id, sum(c.amount) AS cost FROM members m
            JOIN costs c ON c.customer_id = m.customer_id AND occurred_at >= assigned_at
                AND occurred_at < assigned_at + INTERVAL 12 MONTH
            GROUP BY ALL
        )
        SELECT m.*, coalesce(margin, 0) AS margin, coalesce(cost, 0) AS cost,
            m.expected_margin_12m - m.effect_margin_12m AS without
        FROM members m LEFT JOIN earned USING (experiment_id, customer_id)
        LEFT JOIN spent USING (experiment_id, customer_id)
    """)


def test_observed_margin_and_cost_scatter_around_the_truth(outcomes):
    for got, expected in (("margin", "expected_margin_12m"), ("cost", "expected_cost_12m")):
        for _, part in outcomes.groupby(["experiment_id", "arm"]):
            off = part[got] - part[expected]
            assert abs(off.mean()) < 3.5 * off.sem()
        # Together far sharper than any arm alone, and relative, so that no giant rules the mean.
        off = (outcomes[got] - outcomes[expected]) / (outcomes[expected] + 5000)
        assert abs(off.mean()) < 3 * off.sem()


def test_a_difference_of_means_recovers_the_average_effect(outcomes, sql):
    truth = sql("SELECT experiment_id, arm, avg(effect_margin_12m) AS effect FROM truth_effects GROUP BY ALL")
    truth = truth.set_index(["experiment_id", "arm"])["effect"]
    for name, part in outcomes.groupby("experiment_id"):
        # What the account would have brought anyway is taken off, as an analyst would with a covariate.
        gain = part["margin"] - part["without"]
        control = gain[part["arm"] == "control"]
        for arm in ARMS[1:]:
            treated = gain[part["arm"] == arm]
            error = np.hypot(treated.sem(), control.sem())
            assert abs(treated.mean() - control.mean() - truth[name, arm]) < 3.5 * error
    total = truth.groupby("arm").mean()
    assert total["cross-sell"] > 0
    assert total["upsell"] > 0
    assert total["control"] == 0
    assert abs(total["onboarding-emails"]) < 0.2 * total["cross-sell"]


def test_effects_differ_between_accounts_and_some_are_harmful(sql):
    spread = sql("""
        SELECT arm, avg(CAST(effect_margin_12m < 0 AS DOUBLE)) AS harmed, stddev(effect_margin_12m) AS sd
        FROM truth_effects WHERE arm <> 'control' GROUP BY ALL
    """)
    assert spread["harmed"].between(0.1, 0.7).all()
    assert (spread["sd"] > 0).all()


def test_departures_come_as_often_as_their_hazard_says(lived):
    months, _, lives = lived
    at_risk = ~np.isnan(lives.hazard)
    chance = lives.hazard[at_risk].astype(np.float64)
    decided = (lives.notice_month[:, None] == np.arange(months.months))[at_risk]
    for part in np.array_split(np.argsort(chance), 10):
        expected, error = chance[part].sum(), np.sqrt((chance[part] * (1 - chance[part])).sum())
        assert abs(decided[part].sum() - expected) < 4 * error


def test_churn_within_a_year_agrees_with_the_truth_by_decile(sql):
    seen = sql("SELECT * FROM truth WHERE churn_12m_13m_before IS NOT NULL")
    gone = seen["churned_at"] <= pd.Timestamp("2025-12-01")
    deciles = seen.assign(gone=gone).groupby(pd.qcut(seen["churn_12m_13m_before"], 10), observed=True)
    for _, part in deciles:
        chance = part["churn_12m_13m_before"]
        assert abs(part["gone"].sum() - chance.sum()) < 3.5 * np.sqrt((chance * (1 - chance)).sum())


def test_the_outlook_agrees_with_simulated_lives():
    """A brute-force Monte Carlo of one purchase-only account is the oracle of the recursion."""
    months, rng, n = calendar(END.to_pydatetime(), 1), np.random.default_rng(0), 200_000
    risk, start = -4.3, -0.8
    health, there, orders, stays = np.full(n, start), np.ones(n), np.zeros(n), 0.0
    for month in range(12):
        chance = hazard(np.full(n, risk), health, 1.0)
        orders += there * (1 - chance / 2) * months.season(month) * np.exp(RATE_SLOPE * health)
        there *= 1 - chance
        stays = there.mean() if month == 2 else stays
        health = next_health(rng, health)
    zero = np.zeros(1, dtype=np.int64)
    seen = outlook(months, 0).read(zero, zero, zero > 0, np.array([start]), np.array([risk]))
    assert seen["orders"][0] == pytest.approx(orders.mean(), rel=0.004)
    assert seen["stays_3m"][0] == pytest.approx(stays, abs=0.002)
    assert seen["stays_12m"][0] == pytest.approx(there.mean(), abs=0.002)


def test_purchase_statistics_of_a_hand_made_history():
    lines = """
        SELECT * FROM (VALUES
            ('a', TIMESTAMP '2025-01-01 09:00', 'o1', 90.0), ('a', TIMESTAMP '2025-01-01 17:00', 'o2', 10.0),
            ('a', TIMESTAMP '2025-01-11 09:00', 'o3', 50.0), ('a', TIMESTAMP '2025-01-12 09:00', 'o3', -25.0),
            ('b', TIMESTAMP '2025-02-01 09:00', 'o4', 25.0)
        ) AS t(customer_id, occurred_at, order_id, amount)
    """
    seen = purchase_statistics(lines)
    assert seen.customers == 2
    assert seen.one_time == 0.5
    assert seen.purchase_days == 1.5
    assert set(seen.gap_days) == {10.0}
    assert seen.returned == pytest.approx(-25 / 175)


def test_purchases_resemble_the_real_wholesaler(world):
    path = SHARED / "online_retail.parquet"
    if not path.exists():
        pytest.skip(f"{path} is not there")
    real, ours = of_online_retail(path), of_world(world.folder)
    # Some fifty accounts make the top 1 %, so that its share moves by some points from seed to seed.
    assert ours.top_1_percent == pytest.approx(real.top_1_percent, abs=0.10)
    assert ours.top_10_percent == pytest.approx(real.top_10_percent, abs=0.07)
    assert ours.one_time == pytest.approx(real.one_time, abs=0.06)
    assert ours.purchase_days == pytest.approx(real.purchase_days, rel=0.15)
    assert ours.gap_days[1:] == pytest.approx(real.gap_days[1:], rel=0.3)
