"""Contract: further columns become features beside the catalogue's, which stay as they are."""

import pytest

from features.catalogue.more import (
    customer_column,
    features_with,
    more_column,
    more_of,
    tables_of,
    traits_of,
    with_more,
)
from features.catalogue.phrases import phrases
from features.catalogue.sets import PURCHASES
from features.catalogue.tables import DECLARED, TABLES
from features.schema import Kind

MORE = {
    "customers": (
        more_column("plan_tier", Kind.TEXT, "SAPの区分"),
        more_column("sites", Kind.NUMBER),
        more_column("listed", Kind.FLAG, "listed on a stock exchange"),
    ),
    "orders": (
        more_column("rebate", Kind.NUMBER, "Rebate"),
        more_column("rush", Kind.FLAG),
        more_column("channel", Kind.TEXT, "経路"),
    ),
}


def test_without_further_columns_nothing_changes():
    assert features_with({}) is PURCHASES
    assert features_with({"orders": ()}) is PURCHASES
    assert traits_of(PURCHASES) == traits_of(features_with({}))
    assert tables_of(PURCHASES) == TABLES


def test_features_follow_the_kinds_and_those_of_the_catalogue_stay():
    made = features_with(MORE)
    assert [name for name in made.names if name not in PURCHASES.names] == [
        "customers_more_plan_tier_last_ever",
        "customers_more_sites_last_ever",
        "customers_more_listed_last_ever",
        "orders_more_rebate_sum_90d",
        "orders_more_rebate_sum_365d",
        "orders_more_rebate_mean_90d",
        "orders_more_rebate_mean_365d",
        "orders_more_rush_mean_90d",
        "orders_more_rush_mean_365d",
        "orders_more_channel_last_ever",
    ]
    assert [name for name in made.names if name in PURCHASES.names] == list(PURCHASES.names)
    assert made.views[-1] == PURCHASES.views[-1]


def test_fingerprints_follow_columns_and_kinds_but_not_labels():
    def fingerprint(*columns):
        return features_with({"customers": columns}).fingerprint

    one = more_column("a", Kind.TEXT)
    assert fingerprint(one) == fingerprint(more_column("a", Kind.TEXT, "another word"))
    assert len({PURCHASES.fingerprint, fingerprint(one), fingerprint(more_column("b", Kind.TEXT)),
                fingerprint(more_column("a", Kind.NUMBER))}) == 4  # fmt: skip


def test_what_is_not_bound_adds_nothing_and_the_rest_is_told_from_the_set():
    part = features_with(MORE).bound_to({"customers": ("customer_id", "created_at", "more_sites"),
                                         "orders": ("customer_id", "occurred_at", "amount")})  # fmt: skip
    assert "customers_more_sites_last_ever" in part.names
    assert not [name for name in part.names if "rebate" in name or "plan_tier" in name]
    assert more_of(features_with(MORE)) == MORE
    assert tables_of(features_with(MORE))["orders"] == with_more(TABLES["orders"], MORE["orders"])
    assert with_more(TABLES["orders"], ()) is TABLES["orders"]


@pytest.mark.parametrize("language", ["en", "ja"])
def test_labels_are_said_as_they_are_written(language):
    said = phrases(features_with(MORE), language)
    assert said["customers_more_plan_tier_last_ever"].say("基本", "JPY") == {
        "en": "SAPの区分: 基本", "ja": "SAPの区分：基本",
    }[language]  # fmt: skip
    rebate = said["orders_more_rebate_sum_90d"].noun
    assert "Rebate" in rebate
    assert rebate != said["orders_more_rebate_sum_365d"].noun
    # A flag's mean is a share.
    assert said["orders_more_rush_mean_90d"].say(0.25, "JPY").endswith("25%")
    assert said["orders_more_rebate_mean_90d"].group == "purchasing"


def test_further_texts_of_customers_are_traits_by_their_labels():
    traits = traits_of(features_with(MORE))
    assert traits["SAPの区分"] == "customers_more_plan_tier_last_ever"
    assert set(traits) == {"industry", "country", "region", "SAPの区分"}
    clash = features_with({"customers": (more_column("own", Kind.TEXT, "value"),)})
    assert "more_own" in traits_of(clash)
    assert (customer_column("owner"), customer_column("plan_tier")) == ("owner", "more_plan_tier")


@pytest.mark.parametrize("table", [declared.table.name for declared in DECLARED])
def test_every_table_can_carry_them(table):
    columns = tuple(more_column(f"own_{kind.value}", kind) for kind in (Kind.TEXT, Kind.NUMBER, Kind.FLAG))
    made = features_with({table: columns})
    mine = [name for name in made.names if "more_own" in name]
    assert len(mine) == (3 if table == "customers" else 7)
    assert all(name.startswith(f"{table}_more_own_") for name in mine)
    assert set(phrases(made)) >= set(mine)
