#!/usr/bin/env bash
# Installs the Debian packages that Espalier builds with. Does nothing when all are there.
set -euo pipefail

packages=(
  clang-16 mold ccache ninja-build cmake pkg-config g++
  qt6-base-dev libqt6svg6-dev qt6-qpa-plugins libqcustomplot-dev libgl-dev
  libhdf5-dev libsqlite3-dev libopencv-dev nlohmann-json3-dev libcli11-dev libarchive-dev libzstd-dev zlib1g-dev
  libxxhash-dev libssl-dev libicu-dev libexpected-dev libbenchmark-dev
  python3 python3-pip python3-h5py curl unzip ca-certificates desktop-file-utils
)

missing=()
for package in "${packages[@]}"; do
  [ "$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || missing+=("$package")
done
if [ ${#missing[@]} -eq 0 ]; then
  echo "Debian packages: all ${#packages[@]} are installed."
  exit 0
fi

as_root=()
if [ "$(id -u)" -ne 0 ]; then
  command -v sudo >/dev/null || { echo "These packages are missing and need root: ${missing[*]}. Install them, then run this again." >&2; exit 1; }
  as_root=(sudo)
fi
echo "Installing ${#missing[@]} Debian packages: ${missing[*]}"
export DEBIAN_FRONTEND=noninteractive
"${as_root[@]}" apt-get update -qq \
  || { echo "The package lists could not be fetched: check the network connection, then run this again." >&2; exit 1; }
"${as_root[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null \
  || { echo "A package could not be installed: check the network connection and free disk space, then run this again." >&2; exit 1; }
