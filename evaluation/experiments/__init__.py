"""An experiment from assignments to a readout."""
