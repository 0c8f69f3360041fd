#!/usr/bin/env bash
# Make .venv with everything pinned; a missing piece is a sentence, not a trace.
set -u
cd "$(dirname "$0")/.."
log=.venv/install.log
cpu_index=https://download.pytorch.org/whl/cpu

fail() {
  printf 'mlspring: %s\n  -> %s\n' "$1" "$2" >&2
  exit 1
}

find_python() {
  for name in "${PYTHON:-}" python3.11 python3.12 python3.13 python3.14 python3; do
    [ -n "$name" ] && command -v "$name" >/dev/null 2>&1 || continue
    "$name" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 15))' 2>/dev/null &&
      echo "$name" && return
  done
  return 1
}

need_mib() {
  local free_mib
  free_mib=$(df -Pm . | awk 'NR == 2 { print $4 }')
  [ "${free_mib:-0}" -ge "$1" ] || fail "only ${free_mib:-0} MiB are free here, $1 are needed" \
    "free some space, or clone to another disk"
}

# On Linux the package index gives a torch for CUDA, which brings several GB that only a GPU can use.
torch_brings_cuda() {
  [ "$(uname -s) $(uname -m)" = "Linux x86_64" ] || return 1
  # Whoever has named an index or a folder of packages, in the environment too, knows what is there.
  ! .venv/bin/python -m pip config list 2>/dev/null | grep -qE '(index-url|find-links|no-index)='
}

answers() {
  .venv/bin/python -c 'import sys, urllib.request as web; web.urlopen(sys.argv[1], timeout=10)' \
    "$1" 2>/dev/null
}

python=$(find_python) || fail "found no Python 3.11 to 3.14" \
  "install one, or name it: make PYTHON=/path/to/python3.11"
need_mib 4000
"$python" -m venv --clear .venv 2>/dev/null || fail "$python cannot make a virtual environment" \
  "on Debian and Ubuntu: apt-get install python3-venv"

# pip also says "resolution" of versions that do not fit together: that is no missing network
no_network='connection|timed out|unreachable|max retries|name or service not known|name resolution'
no_network="$no_network|nodename nor servname|failed to resolve|could not resolve host"

install() {
  printf 'installing %s ...\n' "$1" >&2
  shift
  .venv/bin/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt \
    "$@" >>"$log" 2>&1 && return
  if grep -qi 'no space left' "$log"; then
    fail "the disk is full" "free some space and run make again"
  elif grep -qiE "$no_network" "$log"; then
    fail "no package could be downloaded: the network or the package index is out of reach" \
      "connect and run make again; what pip said is in $log"
  elif grep -qiE 'gcc|compiler|Python.h' "$log"; then
    fail "a package has no ready build for this machine and there is no compiler" \
      "use Python 3.11 on x86-64 or arm64, or install a compiler; what pip said is in $log"
  fi
  fail "the installation stopped: $(grep -i error "$log" | tail -n 1)" "read $log, then run make again"
}

cpu_only=""
if torch_brings_cuda; then
  if command -v nvidia-smi >/dev/null 2>&1; then
    need_mib 10000
  elif answers "$cpu_index/torch/"; then
    cpu_only=$cpu_index
  else
    printf 'mlspring: %s is out of reach, so torch comes with libraries for CUDA: %s\n' \
      "$cpu_index" "several GB more, and no use without a GPU" >&2
    need_mib 10000
  fi
fi

# torch first and alone: another package's open range would bring the newest build instead
install "torch" torch ${cpu_only:+--extra-index-url "$cpu_only"}
install "mlspring and the rest" --editable '.[all,dev]'
touch .venv/.ready
