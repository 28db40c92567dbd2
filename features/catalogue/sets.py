"""The feature sets tokui comes with."""

from features.catalogue.tables import DECLARED
from features.engine.views import Calendar, FeatureSet

PURCHASES = FeatureSet("purchases", (*(view for declared in DECLARED for view in declared.views), Calendar()))
"""What every view of the catalogue tells, and the season; a table that is not bound adds nothing."""
