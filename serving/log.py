"""The server's log."""

import logging

log = logging.getLogger("tokui.serving")
