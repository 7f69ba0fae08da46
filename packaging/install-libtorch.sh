#!/usr/bin/env bash
# Brings LibTorch 2.15.0 (the libraries and headers of the torch wheel) into a folder outside the clone.
# The folder: ESPALIER_LIBTORCH, else the user's cache. A folder named there that already holds LibTorch is taken as
# it is. Downloads resume where they broke off, are checked by hash and put in place only when whole.
set -euo pipefail

version=2.15.0
folder=${ESPALIER_LIBTORCH:-${XDG_CACHE_HOME:-$HOME/.cache}/espalier/libtorch-$version}
# name, version, SHA-256 of the wheel. Only lib, include and share are used, so one Python tag serves every Python.
wheels=(
  "torch $version 48c2d861134c0b5697c7602cb5ffa68f62a2989fdcd1717e593356f67996ca1e"
  "nvidia-cuda-runtime 13.2.86 3498247680dfddce31bad102af7e3e26fc795342a3cac64722bb0fa95e7f60f0"
  "nvidia-cuda-cupti 13.2.86 8fa29f15dd8336181f961764d9d95236fc6b931dd0c8fcf8cd70aab0c310b586"
)

if [ -e "$folder/torch/lib/libtorch_cpu.so" ] || [ -e "$folder/lib/libtorch_cpu.so" ]; then
  echo "LibTorch: found in $folder"
  exit 0
fi
[ "$(uname -m)" = x86_64 ] || { echo "LibTorch $version is fetched for x86_64 only; name a folder that holds it with ESPALIER_LIBTORCH." >&2; exit 1; }

downloads=$(dirname "$folder")/downloads
mkdir -p "$downloads"
free_kib=$(df -Pk "$downloads" | awk 'NR==2 {print $4}')
if [ "$free_kib" -lt 2200000 ]; then
  echo "LibTorch needs 2.2 GB and $downloads has $((free_kib / 1000)) MB free: make room, or name another folder with ESPALIER_LIBTORCH." >&2
  exit 1
fi
exec 9>"$downloads/lock"
flock 9   # another clone may be doing the same

offline() {
  echo "$1 could not be downloaded: the package index cannot be reached." >&2
  echo "Check the network connection and run this again (it resumes), or name a folder that holds LibTorch ≥ 2.11 with ESPALIER_LIBTORCH." >&2
  exit 1
}

# Asks pip (which knows the user's index, proxy and certificates) where a wheel lies, without fetching it.
wheel_url() {
  local report
  report=$(mktemp)
  python3 -m pip install --dry-run --ignore-installed --no-deps --only-binary :all: --quiet \
    --python-version 3.11 --platform manylinux_2_28_x86_64 --platform manylinux_2_25_x86_64 \
    --platform manylinux2014_x86_64 --platform manylinux_2_17_x86_64 \
    --target "$downloads/none" --report "$report" "$1==$2" >/dev/null 2>"$downloads/pip.log" || { rm -f "$report"; return 1; }
  python3 -c 'import json,sys; print(json.load(open(sys.argv[1]))["install"][0]["download_info"]["url"])' "$report"
  rm -f "$report"
}

for entry in "${wheels[@]}"; do
  read -r name wheel_version hash <<<"$entry"
  file=$downloads/$name-$wheel_version.whl
  for attempt in 1 2; do
    if [ -f "$file" ] && echo "$hash  $file" | sha256sum --check --status; then break; fi
    url=$(wheel_url "$name" "$wheel_version") || offline "$name $wheel_version"
    echo "Downloading $name $wheel_version"
    progress=--silent; [ -t 2 ] && progress=--progress-bar
    if [[ $url == file://* ]]; then
      cp "${url#file://}" "$file.part"
    else
      curl --location --fail --retry 5 --retry-delay 2 --retry-all-errors --connect-timeout 30 $progress --show-error \
        --continue-at - --output "$file.part" "$url" || offline "$name $wheel_version"
    fi
    if echo "$hash  $file.part" | sha256sum --check --status; then
      mv "$file.part" "$file"
    else
      rm -f "$file.part"
      if [ $attempt -eq 2 ]; then
        echo "$name $wheel_version arrived with a wrong checksum twice: it was thrown away. Try another network." >&2
        exit 1
      fi
    fi
  done
done

echo "Unpacking into $folder"
part=$folder.part
rm -rf "$part"
mkdir -p "$part"
for entry in "${wheels[@]}"; do
  read -r name wheel_version _ <<<"$entry"
  case $name in
    torch) unzip -q -o "$downloads/$name-$wheel_version.whl" 'torch/lib/*' 'torch/include/*' 'torch/share/*' '*.dist-info/METADATA' '*.dist-info/licenses/*' -d "$part" -x '*/libtorch_python*' 2>/dev/null || [ $? -le 11 ] ;;
    *) unzip -q -o "$downloads/$name-$wheel_version.whl" -d "$part" ;;
  esac
done
[ -e "$part/torch/lib/libtorch_cpu.so" ] || { echo "The torch wheel could not be unpacked into $part: check the free disk space." >&2; exit 1; }
rm -rf "$folder"
mv "$part" "$folder"
rm -f "$downloads"/*.whl
echo "LibTorch $version is in $folder"
