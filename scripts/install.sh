#!/usr/bin/env bash
# Make .venv with everything pinned; a missing piece is a sentence, not a trace.
set -u
cd "$(dirname "$0")/.."
log=.venv/install.log

fail() {
  printf 'mlspring: %s\n  -> %s\n' "$1" "$2" >&2
  exit 1
}

find_python() {
  for name in "${PYTHON:-}" python3.11 python3.12 python3.13 python3; do
    [ -n "$name" ] && command -v "$name" >/dev/null 2>&1 || continue
    "$name" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null &&
      echo "$name" && return
  done
  return 1
}

python=$(find_python) || fail "found no Python 3.11, 3.12 or 3.13" \
  "install one, or name it: make PYTHON=/path/to/python3.11"
free_mib=$(df -Pm . | awk 'NR == 2 { print $4 }')
[ "${free_mib:-0}" -ge 4000 ] || fail "only ${free_mib:-0} MiB are free here, 4000 are needed" \
  "free some space, or clone to another disk"
"$python" -m venv --clear .venv 2>/dev/null || fail "$python cannot make a virtual environment" \
  "on Debian and Ubuntu: apt-get install python3-venv"

install() {
  printf 'installing %s ...\n' "$1" >&2
  shift
  .venv/bin/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt \
    "$@" >>"$log" 2>&1 && return
  if grep -qiE 'connection|resolution|timed out|unreachable|retries' "$log"; then
    fail "no package could be downloaded: the network or the package index is out of reach" \
      "connect and run make again; what pip said is in $log"
  elif grep -qi 'no space left' "$log"; then
    fail "the disk is full" "free some space and run make again"
  elif grep -qiE 'gcc|compiler|Python.h' "$log"; then
    fail "a package has no ready build for this machine and there is no compiler" \
      "use Python 3.11 on x86-64 or arm64, or install a compiler; what pip said is in $log"
  fi
  fail "the installation stopped: $(grep -i error "$log" | tail -n 1)" "read $log, then run make again"
}

# torch first and alone: another package's open range would bring the newest build instead
install "torch" torch
install "mlspring and the rest" --editable '.[all,dev]'
touch .venv/.ready
