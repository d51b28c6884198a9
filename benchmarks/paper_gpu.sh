#!/usr/bin/env bash
# The paper's comparison on a GPU: paper-size nets at full size for the paper's epochs, its times there, and the tests
# that need a GPU. DATA holds kolektorsdd (and, where it is had, kolektorsdd2, rsdd1, rsdd2). Run again, it goes on.
#
#   bash benchmarks/paper_gpu.sh DATA OUT
set -euo pipefail
data=${1:?the folder that holds kolektorsdd}
out=${2:?the folder for trials, tables and figures}
mkdir -p "$out"

linectl bench nets --size 1408x512 --size 630x230 --size 1000x160 --device cuda --json "$out/nets-cuda.json"
linectl bench paper --root "$data" --out "$out" --device cuda --json "$out/paper.json"
pytest tests/workers -k "cuda or gpu" | tee "$out/tests.txt"
