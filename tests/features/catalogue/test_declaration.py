"""Contract: a declaration holds only streams of its table and views of its streams."""

import pytest

from features.catalogue.costs import COSTS
from features.catalogue.declaration import Declaration
from features.catalogue.orders import ORDERS, ORDERS_BOOKED
from features.errors import DefinitionError


def test_what_belongs_to_another_table_is_refused():
    with pytest.raises(DefinitionError, match=r"orders\.booked is no stream of table costs"):
        Declaration(COSTS.table, streams=(ORDERS_BOOKED,))
    with pytest.raises(DefinitionError, match=r"orders\.placed is not among the streams of orders"):
        Declaration(ORDERS.table, streams=(ORDERS_BOOKED,), views=ORDERS.views[:1])
