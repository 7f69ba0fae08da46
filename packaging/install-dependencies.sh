#!/usr/bin/env bash
# Installs the Debian packages that Espalier builds with. Does nothing when all are there.
set -euo pipefail

packages=(
  clang-16 mold ccache ninja-build cmake pkg-config g++
  qt6-base-dev qt6-svg-dev qt6-qpa-plugins libqcustomplot-dev libgl-dev
  libhdf5-dev libsqlite3-dev libopencv-dev libjpeg-dev libtiff-dev nlohmann-json3-dev libcli11-dev libarchive-dev libzstd-dev zlib1g-dev
  libxxhash-dev libssl-dev libicu-dev libexpected-dev libbenchmark-dev
  git python3 python3-pip python3-h5py curl unzip ca-certificates desktop-file-utils
)

missing=()
for package in "${packages[@]}"; do
  [ "$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || missing+=("$package")
done
if [ ${#missing[@]} -eq 0 ]; then
  echo "Debian packages: all ${#packages[@]} are installed."
  exit 0
fi

as_root=(env DEBIAN_FRONTEND=noninteractive)
if [ "$(id -u)" -ne 0 ]; then
  command -v sudo >/dev/null || { echo "These packages are missing and need root: ${missing[*]}. Install them, then run this again." >&2; exit 1; }
  # sudo forgets the environment.
  as_root=(sudo env DEBIAN_FRONTEND=noninteractive ${http_proxy:+"http_proxy=$http_proxy"} ${https_proxy:+"https_proxy=$https_proxy"})
fi
log=$(mktemp "${TMPDIR:-/tmp}/espalier-packages.XXXXXX")

# Shows the percentage of apt's status lines, "pmstatus:clang-16:41.2:Unpacking clang-16".
show_progress() {
  local kind percent text last=-1
  while IFS=: read -r kind _ percent text; do
    [[ $kind == dlstatus || $kind == pmstatus ]] || continue
    percent=${percent%%.*}
    if [ -t 1 ]; then
      printf '\r\033[K  %s %% %s' "$percent" "${text:0:60}"
    elif [ "$kind" = pmstatus ] && [ $((percent / 10)) -gt "$last" ]; then
      last=$((percent / 10))
      echo "  $percent %"
    fi
  done
  [ ! -t 1 ] || printf '\r\033[K'
}

echo "Installing ${#missing[@]} Debian packages and what they need: ${missing[*]}"
reached=yes
"${as_root[@]}" apt-get update -qq -o APT::Update::Error-Mode=any >>"$log" 2>&1 || reached=no
# Status lines have a descriptor of their own, made behind sudo (which closes all above 2): apt makes it non-blocking, and
# package scripts that share it fail when it is full.
install='exec 3>&1 1>&2; exec apt-get install -y -q --no-install-recommends -o Dpkg::Use-Pty=0 -o APT::Status-Fd=3 "$@"'
if ! "${as_root[@]}" sh -c "$install" sh "${missing[@]}" 2>>"$log" | show_progress; then
  if [ $reached = no ]; then
    echo "The Debian packages could not be fetched: check the network connection, then run this again (what apt said is in $log)." >&2
  else
    echo "A Debian package could not be installed: check free disk space and what apt said in $log, then run this again." >&2
  fi
  exit 1
fi
rm -f "$log"
