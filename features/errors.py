"""Every error tokui raises on purpose.

    TokuiError
    ├── SettingsError          ValueError    tokui.toml says something that cannot be
    ├── SourceError            OSError       a file, database or query cannot be read
    ├── TableError             ValueError    a bound table breaks the canonical schema
    ├── DefinitionError        ValueError    a stream, view, aggregation or window is declared wrongly
    ├── TrainingDataError      ValueError    the history cannot support the training asked for
    ├── ExperimentError        ValueError    the data of an experiment cannot support the readout asked for
    ├── UnknownCustomerError   KeyError      no such customer in the snapshot
    └── ModelError
        ├── NoChampionError    LookupError   nothing has been promoted yet
        ├── FingerprintError   ValueError    model and features were made by different definitions
        ├── ChecksumError      ValueError    a model file is not the one that was written
        └── PromotionError     ValueError    the challenger is worse than the champion

A message states the value, the rule and the mend. The command line prints it in one line
and exits with status 2; anything else that escapes is a defect of tokui.
"""


class TokuiError(Exception):
    """Base of all errors a user can mend."""


class SettingsError(TokuiError, ValueError):
    """tokui.toml, an option or an environment variable says something that cannot be."""


class SourceError(TokuiError, OSError):
    """A file, database or query cannot be opened or read."""

    def __str__(self) -> str:
        # OSError formats two arguments as errno and text; ours always carries one sentence.
        return str(self.args[0]) if self.args else ""


class TableError(TokuiError, ValueError):
    """A bound table breaks the canonical schema."""


class DefinitionError(TokuiError, ValueError):
    """A stream, window, aggregation, view or label is declared wrongly."""


class TrainingDataError(TokuiError, ValueError):
    """The history cannot support the training asked for."""


class ExperimentError(TokuiError, ValueError):
    """The data of an experiment cannot support the readout, plan or policy asked for."""


class UnknownCustomerError(TokuiError, KeyError):
    """A customer id is not in the snapshot.

    Args:
        customer_ids: The ids that were asked for and are not there.
    """

    def __init__(self, customer_ids: list[str]) -> None:
        self.customer_ids = customer_ids
        super().__init__(f"no such customer in the snapshot: {', '.join(customer_ids[:5])}")

    def __str__(self) -> str:
        return str(self.args[0])


class ModelError(TokuiError):
    """A model cannot be used as asked."""


class NoChampionError(ModelError, LookupError):
    """No version of the model carries the alias ``champion``."""


class FingerprintError(ModelError, ValueError):
    """The model was trained on features of other definitions than these."""


class ChecksumError(ModelError, ValueError):
    """A model file differs from the one that was written."""


class PromotionError(ModelError, ValueError):
    """The challenger is worse out of time than the champion."""
