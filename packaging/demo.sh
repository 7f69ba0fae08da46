#!/usr/bin/env bash
# On a fresh Debian 12: installs what is needed, builds, and runs the main job on the embedded digits: train twice,
# quantize to 8, 4 and 3 bits with three methods, compare. With a display the window opens on the result; without one
# it ends with screenshots and a summary. --offscreen forces the latter.
set -euo pipefail
cd "$(dirname "$0")/.."
packaging/build.sh espalier espalier-cli

started=$(date +%s)
workspace=$PWD/build/demo/workspace
shots=$PWD/build/demo/screenshots
rm -rf build/demo
mkdir -p "$shots"
cli() { build/dev/app/espalier-cli --workspace "$workspace" "$@"; }

echo "== Import"
cli import resources/samples/digits/digits.csv.gz --name digits --split 0.6,0.1,0.3
echo "== Train"
cli run 70 --data digits --name digits-cct-s0 --seed 0 --epochs 30 --batch 32 --lr 3e-3
cli run 70 --data digits --name digits-vit-s0 --seed 0 --epochs 10 --batch 32 --lr 3e-3 --variant vit_lite_desk
echo "== Quantize"
cli run 46 --from digits-cct-s0 --name digits-quant --methods rtn,adaround,flexround --bits 8,4,3 --granularity channel
echo "== Compare"
cli compare digits-cct-s0 digits-vit-s0
cli --json show digits-quant >build/demo/quant.json
cli --json show digits-cct-s0 >build/demo/train.json

if [ -n "${DISPLAY:-}${WAYLAND_DISPLAY:-}" ] && [ "${1:-}" != --offscreen ]; then
  echo "Opening the window on $workspace"
  exec build/dev/app/espalier --workspace "$workspace"
fi
QT_QPA_PLATFORM=offscreen build/dev/app/espalier --workspace "$workspace" --screenshots "$shots"

echo "== Summary"
python3 - build/demo/train.json build/demo/quant.json <<'PY'
import json, sys
train, quant = (json.load(open(path)) for path in sys.argv[1:])
top1 = train["summary"]["test/top1"]["last"]
print(f"digits test accuracy {100 * top1:.2f} %")
points = quant["tradeoff"]["points"]
base = quant["tradeoff"]["job"]["base_metric"]
for p in points:
    print(f"  {p['label']:16s} {p['bytes_total']:>9,} bytes  {100 * p['metric']:6.2f} %{'  on the front' if p['on_front'] else ''}")
by_label = {p["label"]: p for p in points}
checks = [
    (top1 >= 0.97, "the digits model reaches 97 %"),
    (base - by_label["flexround w4"]["metric"] <= 0.01, "FlexRound at 4 bits loses at most 1 point"),
    (by_label["flexround w3"]["metric"] > by_label["rtn w3"]["metric"], "FlexRound beats round-to-nearest at 3 bits"),
]
for holds, text in checks:
    print(("ok    " if holds else "MISSED") + " " + text)
sys.exit(0 if all(holds for holds, _ in checks) else 1)
PY
echo "Screenshots are in $shots"
echo "The demo took $(($(date +%s) - started)) s without installing and building."
