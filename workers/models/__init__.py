"""The nets, one a file, and the one place that builds them."""

from torch import nn

from workers.errors import ModelError
from workers.models import anomalyseg
from workers.models.spec import AnomalySegSpec, NetSpec


def build_model(spec: NetSpec) -> nn.Module:
    """A net with fresh weights: (B, 1, H, W) normalised grey in, (B, 1, H, W) logits out."""
    match spec:
        case AnomalySegSpec():
            return anomalyseg.AnomalySeg(spec)
        case _:
            raise ModelError(f"net: {spec.kind} cannot be built yet; anomalyseg can")
