#!/bin/sh
# Trains stage 0 of a wide world on a machine with a GPU that has this source tree, torch, timm, numpy and safetensors.
#
#   python -m sonorama.training generator-pack build/wide.pack --largest 60     (beforehand, where the data is; --size 512)
#   tests/gpu/world.sh build/wide.pack OUT [SECONDS [SIZE [LARGEST_MB [more options of the command]]]]
#
# SECONDS: of training (440). SIZE: height in px (256). LARGEST_MB: no file over this is kept in OUT (64). Stopped at
# any time, OUT holds generator.safetensors, sheets of pictures and measures; the same line goes on where it stopped.
# Made with --channels 4096 128, `training generator --from OUT/generator.safetensors` goes on from it.
set -eu
if [ $# -lt 2 ]; then
    sed -n '2,10s/^# \{0,1\}//p' "$0" >&2
    exit 2
fi
root=$(cd "$(dirname "$0")/../.." && pwd)
pack=$1 out=$2 seconds=${3:-440} size=${4:-256} largest=${5:-64}
shift $(($# < 5 ? $# : 5))
mkdir -p "$out"
# Not `exec`ed by way of a pipe: a signal to this script must reach the training, which then saves.
PYTHONPATH="$root/.src${PYTHONPATH:+:$PYTHONPATH}" exec "${PYTHON:-python3}" -m sonorama.training.stages.generator.timed \
    --pack "$pack" --out "$out" --seconds "$seconds" --size "$size" --largest "$largest" "$@"
