"""Contract: what reports and experiments ask of an account is declared with it."""

from features.catalogue.account import CLUSTERS, CUSTOMERS, TRAITS
from features.schema import Kind


def test_traits_and_clusters_are_text_columns_of_the_account():
    assert TRAITS == {
        "industry": "customers_industry_last_ever",
        "country": "customers_country_last_ever",
        "region": "customers_region_last_ever",
    }
    assert CLUSTERS == ("industry", "country", "region", "owner")
    assert all(CUSTOMERS.table.column(name).kind is Kind.TEXT for name in (*TRAITS, *CLUSTERS))
