"""What a chapter calls things that each study names for itself: the exposure, and what is held constant."""

from __future__ import annotations

from lib.show.marks import require_codebook
from lib.show.words import lower_first
from lib.study.codebook import Codebook

__all__ = ["exposure_name", "held_constant"]


def exposure_name(codebook: Codebook) -> str:
    """The latent behind the scales with role ``exposure``, as it stands in a sentence."""
    require_codebook(codebook, "exposure_name")
    return lower_first(codebook.exposure[1], codebook)


def held_constant(codebook: Codebook, covariates: str) -> str:
    """The columns of a covariate set in words: "gender, race and ethnicity, grade and school held constant".

    Without a covariate set of that name, or with an empty one, nothing is held constant.
    """
    require_codebook(codebook, "held_constant")
    keys = codebook.covariate_sets.get(covariates, ())
    names = [lower_first(codebook.label(key), codebook) for key in keys]
    if not names:
        return "nothing held constant"
    listed = names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
    return f"{listed} held constant"
