#!/usr/bin/env bash
# Measures the targets on a machine with an NVIDIA GPU, its driver, and Python with PyTorch: no browser, no Node, no
# network. Run in the unpacked folder of `npm run bench:pack`:
#
#   bash gpu-server.sh [RESULT.json] [options of the benchmark, by default --full]
#
# What is printed last is the table; the same as JSON is in RESULT.json.
set -euo pipefail

result=$(realpath -m "${1:-gpu-server.json}")
shift || true
[ $# -gt 0 ] || set -- --full
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Dawn wants a folder for sockets that it does not use.
export XDG_RUNTIME_DIR="${XDG_RUNTIME_DIR:-$work}"

# Vulkan needs its loader and the driver's description; minimal images lack one or the other.
if ! ldconfig -p 2>/dev/null | grep -q 'libvulkan\.so\.1'; then
  export LD_LIBRARY_PATH="$PWD/lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
fi
if [ -z "${VK_ICD_FILENAMES:-}${VK_DRIVER_FILES:-}" ]; then
  described=$(ls /usr/share/vulkan/icd.d/*nvidia* /etc/vulkan/icd.d/*nvidia* \
    /usr/local/nvidia/share/vulkan/icd.d/*nvidia* 2>/dev/null | head -n 1 || true)
  if [ -z "$described" ]; then
    described="$work/nvidia_icd.json"
    echo '{"file_format_version":"1.0.0","ICD":{"library_path":"libGLX_nvidia.so.0","api_version":"1.3.0"}}' >"$described"
  fi
  export VK_ICD_FILENAMES="$described" VK_DRIVER_FILES="$described"
fi

nvidia-smi --query-gpu=name,driver_version,memory.total,clocks.max.sm --format=csv 2>/dev/null || echo 'no nvidia-smi' >&2

node=./node
[ -x "$node" ] || node=node

"$node" dawn.mjs "$@" --json "$work/webgpu.json"
if python3 -c 'import torch' 2>/dev/null; then
  "$node" dawn.mjs "$@" --export "$work/models"
  python3 torch_llama.py "$work/models" ${TORCH_STEPS:+--steps "$TORCH_STEPS"} >"$work/torch.json"
  "$node" dawn.mjs --table "$work/webgpu.json" --torch "$work/torch.json" --json "$result"
else
  echo 'no PyTorch: only WebGPU was measured' >&2
  "$node" dawn.mjs --table "$work/webgpu.json" --json "$result"
fi
