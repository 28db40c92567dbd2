"""Contract: the feature set is every view of the catalogue in the order of the tables, and the season."""

from features.catalogue.sets import PURCHASES
from features.catalogue.tables import DECLARED
from features.engine.views import Calendar


def test_purchases_are_all_views_and_the_calendar():
    assert PURCHASES.views[:-1] == tuple(view for declared in DECLARED for view in declared.views)
    assert PURCHASES.views[-1] == Calendar()
    assert len(set(PURCHASES.names)) == len(PURCHASES.names)


def test_models_that_were_trained_on_it_know_it_again():
    """Words are no part of the definitions: changing them must not part a model from its snapshot."""
    assert PURCHASES.fingerprint == "3232c1b48526e84b"
