"""Errors that a reader or analyst can act on.

Each message says what was found, how many, and what to do, and never repeats a
student's value (DISCLOSURE.md, rule D11). The command line prints the message
alone; ``--debug`` adds the traceback.
"""


class ReportError(Exception):
    """Base of every error the project raises on purpose; the command line exits with ``exit_status``."""

    exit_status = 2


class StudyError(ReportError):
    """A study folder, its codebook or its data files do not hold what they should."""


class ModelError(ReportError):
    """A model cannot be written down, identified or estimated from these data."""


class TooFewError(ModelError):
    """A model was fitted to fewer students than its results may stand on."""


class DisclosureError(ReportError):
    """A table could not be released, or a published file would reveal a student."""

    exit_status = 1


class ShowError(ReportError):
    """A figure, table or sentence was asked for something it cannot show."""


class BuildError(ReportError):
    """A chapter failed, or the project around it is not complete."""

    exit_status = 1
