#!/bin/sh
# What is to be run on a machine with a GPU that has this source tree, torch 2.11, numpy, safetensors, timm and onnxruntime.
#
#   tests/gpu/run.sh world SECONDS PACK OUT [SIZE [LARGEST_MB [more options]]]   trains a world: world.sh
#   tests/gpu/run.sh checks SECONDS OUT [--world FILE.safetensors] [more options]
#
# checks: compares what is painted on the GPU with the reference, then measures how fast, size by size. Stopped at any
# time, OUT holds what was found by then: rows.jsonl and table.txt. On a machine without a GPU: --device cpu.
set -eu
least=3
[ "${1-}" = world ] && least=4
if [ $# -lt "$least" ]; then
    sed -n '2,9s/^# \{0,1\}//p' "$0" >&2
    exit 2
fi
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
what=$1 seconds=$2
shift 2
case $what in
world)
    pack=$1 out=$2
    shift 2
    exec "$here/world.sh" "$pack" "$out" "$seconds" "$@"
    ;;
checks)
    out=$1
    shift
    mkdir -p "$out"
    PYTHONPATH="$root/.src:$here${PYTHONPATH:+:$PYTHONPATH}" exec "${PYTHON:-python3}" -m gpu_checks \
        --out "$out" --seconds "$seconds" "$@"
    ;;
*)
    echo "$what: neither world nor checks" >&2
    exit 2
    ;;
esac
