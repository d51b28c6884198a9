"""`linectl bench health` tells blur from good focus on drawn surfaces, and says what a frame costs."""

from pathlib import Path

from benchmarks.health import SIGMAS_PX, measure_health


def test_drawn_surfaces_alone(tmp_path: Path) -> None:
    result = measure_health("rail-03", str(tmp_path), 24)

    by_sigma = {row["sigma_px"]: row for row in result["rows"]}
    assert list(by_sigma) == list(SIGMAS_PX)
    assert by_sigma[0.0]["called_blurred"] == 0.0
    assert by_sigma[2.0]["called_blurred"] == 1.0
    assert by_sigma[2.0]["auc"] == 1.0
    assert result["dark_or_saturated"] == {"drawn": "0 of 24"}
    assert 0 < result["cpu_ms_1000x160"]["p50"] <= result["cpu_ms_1000x160"]["p99"]
