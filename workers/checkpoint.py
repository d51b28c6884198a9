"""Weights as safetensors with a manifest beside them; nothing is parsed before its size and hash are checked."""

import hashlib
from datetime import date
from pathlib import Path
from typing import Literal

import msgspec
import safetensors
import torch
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from safetensors.torch import load, save
from torch import nn

from workers.canary import Canary
from workers.errors import ModelError
from workers.fit import Fit
from workers.models import build_model
from workers.models.spec import NetSpec

MAX_WEIGHTS_BYTES = 512 << 20
MAX_MANIFEST_BYTES = 1 << 20


class Manifest(BaseModel):
    """All that must be known to run the weights, and to trust them."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    version: Literal[1] = 1
    name: str = Field(min_length=1, max_length=64)
    net: NetSpec
    height: int = Field(ge=16, le=8192)  # of the net's input
    width: int = Field(ge=16, le=8192)
    normalisation: Literal["standardise"]
    fit: Fit = "stretch"  # how an image of another size comes to the net's
    threshold: float = Field(gt=0, lt=1)
    size_bytes: int = Field(gt=0, le=MAX_WEIGHTS_BYTES)
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    data: str
    metrics: dict[str, float]
    licence: str
    date: date
    canary: Canary


class Checkpoint(msgspec.Struct, frozen=True, kw_only=True):
    manifest: Manifest
    model: nn.Module


def load_checkpoint(path: Path) -> Checkpoint:
    """The net of these weights, in evaluation mode; ModelError where anything does not fit."""
    if path.suffix != ".safetensors":
        raise ModelError(
            f"{path}: weights of kind {path.suffix or 'unknown'!r}; only .safetensors is read, as it holds no code"
        )
    manifest = load_manifest(path.with_suffix(".json"))
    weights = _checked_bytes(path, manifest)
    try:
        tensors = load(weights)
    except (safetensors.SafetensorError, ValueError, KeyError) as error:
        raise ModelError(f"{path}: not safetensors ({error})") from error
    if bad := sorted(name for name, tensor in tensors.items() if not torch.isfinite(tensor).all()):
        raise ModelError(f"{path}: {bad[0]} and {len(bad) - 1} more tensors hold NaN or infinity; all must be finite")
    model = build_model(manifest.net)
    try:
        model.load_state_dict(tensors, strict=True)
    except RuntimeError as error:
        raise ModelError(
            f"{path}: the tensors are not those of {manifest.net!r} ({str(error).splitlines()[-1].strip()})"
        ) from error
    return Checkpoint(manifest=manifest, model=model.eval())


def load_manifest(path: Path) -> Manifest:
    try:
        size = path.stat().st_size
        if size > MAX_MANIFEST_BYTES:
            raise ModelError(f"{path}: {size} bytes; a manifest has at most {MAX_MANIFEST_BYTES}")
        return Manifest.model_validate_json(path.read_bytes())
    except OSError as error:
        raise ModelError(f"{path}: {error.strerror}; a manifest lies beside its weights") from error
    except ValidationError as error:
        first = error.errors()[0]
        at = ".".join(map(str, first["loc"])) or "(top)"
        raise ModelError(f"{path}: {at}: {first['msg']}, found {str(first['input'])[:80]!r}") from error


def save_checkpoint(path: Path, model: nn.Module, **facts: object) -> Manifest:
    """Writes the weights and, last, the manifest that vouches for them; `facts` are its fields but size and hash."""
    weights = save({name: tensor.contiguous() for name, tensor in model.state_dict().items()})
    manifest = Manifest.model_validate(
        facts | {"size_bytes": len(weights), "sha256": hashlib.sha256(weights).hexdigest()}
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(weights)
    path.with_suffix(".json").write_text(manifest.model_dump_json(indent=2) + "\n")
    return manifest


def _checked_bytes(path: Path, manifest: Manifest) -> bytes:
    """The file's bytes, once: what was hashed is what is parsed."""
    try:
        size = path.stat().st_size
        if size != manifest.size_bytes:
            raise ModelError(f"{path}: {size} bytes; its manifest says {manifest.size_bytes}")
        weights = path.read_bytes()
    except OSError as error:
        raise ModelError(f"{path}: {error.strerror}; `linectl train` writes weights") from error
    if (found := sha256_of(weights)) != manifest.sha256:
        raise ModelError(f"{path}: SHA-256 is {found}; its manifest says {manifest.sha256}")
    return weights


def sha256_of(weights: bytes) -> str:
    return hashlib.sha256(weights).hexdigest()
