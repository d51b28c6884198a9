"""What a station is: cameras, belt, gate, net, limits, and where its traces go."""

from typing import Annotated, Literal

from pydantic import Field

from config.actuators import Actuator
from config.alarms import Alarms
from config.base import Milliseconds, Name, Share, Table, type_checked_list
from config.cameras import Camera
from config.disk import Disk
from config.models import Model
from config.onlookers import Sparkplug, Webhook
from config.opcua_server import OpcUaServer
from config.policy import Policy
from config.proof import Proof
from config.quality import Quality
from config.retention import Retention
from config.shifts import Shifts


class Belt(Table):
    """What carries the parts: its speed, its encoder, and the way from lens to gate."""

    speed_mm_s: float = Field(gt=0, le=100_000)
    counts_per_mm: float = Field(gt=0, le=10_000)  # encoder
    encoder: bool = (
        True  # false: there is none that the line hears, and full speed stands in for it: a fixed transit time
    )
    part_pitch_mm: float = Field(gt=0, le=100_000)  # from one trigger to the next
    camera_to_gate_mm: float = Field(gt=0, le=1_000_000)

    @property
    def way_ms(self) -> float:
        """From the camera to the gate at full speed, ms."""
        return 1000 * self.camera_to_gate_mm / self.speed_mm_s

    @property
    def way_counts(self) -> int:
        return round(self.camera_to_gate_mm * self.counts_per_mm)

    @property
    def pitch_counts(self) -> int:
        return round(self.part_pitch_mm * self.counts_per_mm)

    @property
    def counts_per_s(self) -> float:
        return self.speed_mm_s * self.counts_per_mm

    @property
    def parts_per_s(self) -> float:
        return self.speed_mm_s / self.part_pitch_mm


class Budget(Table):
    """What each stage may take, ms; a part that takes longer is rejected as not inspected."""

    capture_ms: Milliseconds
    transport_ms: Milliseconds
    inference_ms: Milliseconds  # for one frame, on one worker
    decision_ms: Milliseconds
    actuation_ms: Milliseconds


class Leases(Table):
    """How long a worker may hold a frame."""

    lease_ms: Milliseconds = 500.0  # at least; (cameras served + 1) × the worker's p99 where that is more
    answer_ms: Milliseconds = 10_000.0  # without a belt: a frame unanswered for so long is not inspected


class Images(Table):
    """Which pictures are kept."""

    pass_share: Share = 0.02  # of passed parts, the full frame
    crop_margin_px: int = Field(default=16, ge=0, le=1024)


class Live(Table):
    """What Redis holds."""

    stream_maxlen: int = Field(default=10_000, ge=1, le=10_000_000)
    crop_ttl_s: int = Field(default=3600, ge=1, le=31_536_000)


class Archive(Table):
    """What becomes of the journal's closed files, a million rows each."""

    keep_files: int = Field(default=2, ge=1, le=1000)  # the last closed ones stay as they are; older ones are packed


class Restarts(Table):
    """How often one process may be lost before the line is held for a person."""

    most: int = Field(default=5, ge=0, le=1000)
    within_s: float = Field(default=60.0, gt=0, le=86_400)


class Ipc(Table):
    """Sockets in a private folder of this host."""

    kind: Literal["ipc"]


class Tcp(Table):
    """TCP ports counted up from `port`; only loopback, as peers are not authenticated."""

    kind: Literal["tcp"]
    host: Literal["127.0.0.1", "localhost", "::1"] = "127.0.0.1"
    port: int = Field(ge=1024, le=65_000)


class Twin(Table):
    """The digital twin that a bench station runs on."""

    seed: int = Field(ge=0, le=2**32 - 1)
    ahead: int = Field(default=16, ge=2, le=1000)  # surfaces drawn before they are due


class Station(Table):
    """One inspection station; see the files in `config/stations`."""

    name: Name
    title: str = Field(default="", max_length=200)
    on_uninspected: Literal["reject", "hold"] = "reject"
    workers: int = Field(default=1, ge=1, le=64)
    cameras: Annotated[tuple[Camera, ...], type_checked_list] = Field(max_length=32)
    actuator: Actuator
    model: Model
    policy: Policy
    belt: Belt | None = None
    budget: Budget | None = None
    leases: Leases = Leases()
    images: Images = Images()
    retention: Retention = Retention()
    disk: Disk = Disk()
    live: Live = Live()
    archive: Archive = Archive()
    restarts: Restarts = Restarts()
    proof: Proof = Proof()
    alarms: Alarms = Alarms()
    shifts: Shifts = Shifts()
    quality: Quality = Quality()
    bus: Annotated[Ipc | Tcp, Field(discriminator="kind")] = Ipc(kind="ipc")
    twin: Twin | None = None
    sparkplug: Sparkplug | None = None
    notify: Annotated[tuple[Webhook, ...], type_checked_list] = Field(default=(), max_length=8)
    opcua_server: OpcUaServer | None = None  # for those who want to know what becomes of each part
