"""OpenVINO on the CPU, the default: the torch net is converted in memory, and nothing is written or sent.

The net is compiled for one image: on a CPU one image fills all threads, so a batch is scored image after image.
"""

import warnings

import numpy as np
import openvino
import torch
from numpy.typing import NDArray
from openvino.frontend import FrontEndManager
from openvino.frontend.pytorch.ts_decoder import TorchScriptPythonDecoder
from torch import Tensor, nn

from workers.engines.passes import Planes, Probability, scored

TRACE_SIZE = (32, 32)


class OpenVinoEngine:
    name = "openvino"
    batch_most = 1

    def __init__(self, model: nn.Module, *, height: int, width: int, channels: int, threads: int) -> None:
        torch.set_num_threads(threads)  # the conversion runs the net once
        self._channels = channels
        self._compiled = openvino.Core().compile_model(
            _converted(model, height=height, width=width, channels=channels),
            "CPU",
            {
                "INFERENCE_NUM_THREADS": threads,
                "NUM_STREAMS": 1,
                "ENABLE_CPU_PINNING": False,  # each process would pin its threads to the same first cores
                "PERFORMANCE_HINT": "LATENCY",
                "INFERENCE_PRECISION_HINT": "f32",  # bf16, where the CPU has it, answers otherwise than elsewhere
            },
        )
        self._request = self._compiled.create_infer_request()

    def __call__(self, images: NDArray[np.float32]) -> NDArray[np.float32]:
        return scored(images, self._pass, channels=self._channels, most=self.batch_most)

    def _pass(self, planes: Planes) -> Probability:
        found = self._request.infer([np.ascontiguousarray(planes)])  # (1, 1, H, W)
        return np.asarray(found[0][:, 0], np.float32)  # a view of memory that the next pass writes: copied at once


class _Probability(nn.Module):
    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, image: Tensor) -> Tensor:
        return torch.sigmoid(self.model(image))


def _converted(model: nn.Module, *, height: int, width: int, channels: int) -> openvino.Model:
    """By the front end itself: `openvino.convert_model` would report the conversion to its maker over the network.

    The trace runs on a small image and keeps sizes symbolic; on the full one it takes seconds.
    """
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore", DeprecationWarning
        )  # torch.jit.trace: torch.export has no path here that is as quick
        traced = torch.jit.trace(  # type: ignore[no-untyped-call]
            _Probability(model).eval(), torch.zeros(1, channels, *TRACE_SIZE), check_trace=False
        )
        frozen = torch.jit.freeze(traced)
    front_end = FrontEndManager().load_by_framework("pytorch")
    decoder = TorchScriptPythonDecoder(frozen, skip_freeze=True)  # a name, as the front end does not keep it alive
    converted = front_end.convert(front_end.load(decoder))
    converted.input().get_node().set_element_type(openvino.Type.f32)  # left open, a repeated channel does not compile
    converted.reshape([1, channels, height, width])
    return converted
