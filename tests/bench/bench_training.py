#!/usr/bin/env python3
"""Training throughput against PyTorch eager, interleaved: python3 tests/bench/bench_training.py [--model NAME] [--rounds N]

Both train the same compact transformer on the same 32x32 pictures with the same batch, threads and augmentation (crop and
flip), fused AdamW, fp32, attention dropout 0.1, stochastic depth 0.1. The peer is installed into build/bench/peer once.
A rate is images over wall time from the end of the fifth step to the last; needs a built espalier-cli (build/dev/app).
"""
import argparse
import json
import pathlib
import statistics
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
WORK = ROOT / "build" / "bench"
MODELS = {"CCT-7/3x1": (7, 256, 4, 2, 1), "CCT-2/3x2": (2, 128, 2, 1, 2)}

PEER = r'''
import sys, time, statistics, torch, torchvision
from torch import nn
import torch.nn.functional as F

layers, width, heads, ratio, convs, batch, steps, threads, workers = map(int, sys.argv[1:10])
images, warm = sys.argv[10], 5
torch.set_num_threads(threads)
torch.manual_seed(0)


def drop_path(x, rate, training):
    if not training or rate == 0:
        return x
    keep = torch.empty(x.shape[0], 1, 1).bernoulli_(1 - rate).div_(1 - rate)
    return x * keep


class Block(nn.Module):
    def __init__(self, rate):
        super().__init__()
        self.rate = rate
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv, self.proj = nn.Linear(width, 3 * width, bias=False), nn.Linear(width, width)
        self.up, self.down = nn.Linear(width, ratio * width), nn.Linear(ratio * width, width)

    def forward(self, x):
        b, n, d = x.shape
        q, k, v = self.qkv(self.norm1(x)).view(b, n, 3, heads, d // heads).permute(2, 0, 3, 1, 4).unbind(0)
        a = F.scaled_dot_product_attention(q, k, v, dropout_p=0.1 if self.training else 0.0)
        x = x + drop_path(self.proj(a.transpose(1, 2).reshape(b, n, d)), self.rate, self.training)
        n2 = self.norm2(x)
        return n2 + drop_path(self.down(F.gelu(self.up(n2))), self.rate, self.training)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        parts, c = [], 3
        for i in range(convs):
            out = width if i == convs - 1 else 64
            parts += [nn.Conv2d(c, out, 3, 1, 1, bias=False), nn.ReLU(), nn.MaxPool2d(3, 2, 1)]
            c = out
        self.tokenizer = nn.Sequential(*parts)
        side = 32 // 2 ** convs
        self.pos = nn.Parameter(torch.randn(1, side * side, width) * 0.2)
        self.blocks = nn.Sequential(*[Block(0.1 * i / max(1, layers - 1)) for i in range(layers)])
        self.norm, self.pool, self.head = nn.LayerNorm(width), nn.Linear(width, 1), nn.Linear(width, 10)

    def forward(self, x):
        x = self.tokenizer(x).flatten(2).transpose(1, 2) + self.pos
        x = self.norm(self.blocks(x))
        w = self.pool(x).softmax(1)
        return self.head((w.transpose(1, 2) @ x).squeeze(1))


import numpy
from PIL import Image
T = torchvision.transforms
with numpy.load(images) as archive:  # read once: a lazy archive would decode the member at every access
    pixels, labels = archive["x"], archive["y"]


class Set(torch.utils.data.Dataset):
    t = T.Compose([T.RandomCrop(32, 4), T.RandomHorizontalFlip(), T.ToTensor(), T.Normalize((.5,) * 3, (.25,) * 3)])

    def __len__(self):
        return len(pixels)

    def __getitem__(self, i):
        return self.t(Image.fromarray(pixels[i])), int(labels[i])


loader = torch.utils.data.DataLoader(Set(), batch, shuffle=True, num_workers=workers, drop_last=True,
                                     persistent_workers=workers > 0)
net = Net().train()
optimizer = torch.optim.AdamW(net.parameters(), lr=5e-4, weight_decay=3e-2, fused=True)
done, begin = 0, 0.0
while done < steps:
    for x, y in loader:
        optimizer.zero_grad(set_to_none=True)
        loss = F.cross_entropy(net(x), y, label_smoothing=0.1)
        loss.backward()
        optimizer.step()
        loss.item()
        done += 1
        if done == warm:
            begin = time.perf_counter()
        if done >= steps:
            break
print(batch * (done - warm) / (time.perf_counter() - begin))
'''


def sh(*words, **kw):
    return subprocess.run([str(w) for w in words], check=True, **kw)


def install_peer():
    python = WORK / "peer" / "bin" / "python"
    if not (WORK / "peer" / "done").exists():
        WORK.mkdir(parents=True, exist_ok=True)
        sh(sys.executable, "-m", "venv", WORK / "peer")
        sh(python, "-m", "pip", "install", "--quiet", "torch==2.15.0", "torchvision", "numpy")
        (WORK / "peer" / "done").touch()
    return python


def make_data(python, cifar, count):
    """Both sides read this archive: the pictures of a class-per-folder tree, or random ones when none is named."""
    file = WORK / f"images-{pathlib.Path(cifar).name if cifar else 'random'}-{count}.npz"
    if not file.exists():
        sh(python, "-c", """
import numpy as n, pathlib, sys
from PIL import Image
file, folder, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
x, y = n.random.default_rng(0).integers(0, 256, (count, 32, 32, 3), dtype=n.uint8), n.arange(count) % 10
if folder:
    names = sorted(d for d in pathlib.Path(folder).iterdir() if d.is_dir())
    files = [(f, i) for i, d in enumerate(names) for f in sorted(d.iterdir())]
    files = [files[i] for i in n.random.default_rng(0).permutation(len(files))[:count]]
    x, y = n.stack([n.asarray(Image.open(f).convert('RGB')) for f, _ in files]), n.array([i for _, i in files])
n.savez(file, x=x, y=y)
""", file, cifar, count)
    return file


def ours(cli, workspace, data, model, batch, steps, threads, warm=5):
    run = sh(cli, "--workspace", workspace, "--json", "run", "70", "--data", data, "--variant", model, "--batch", batch,
             "--epochs", "1", "--train_limit", batch * steps, "--hold_out", "0", "--recipe", "Q", "--augment", "crop+flip",
             "--flip", "on", "--probes", "0", "--threads", threads, "--log_every", "1", stdout=subprocess.PIPE, text=True)
    at = [e["wall_secs"] for e in map(json.loads, run.stdout.splitlines())
          if e.get("event") == "metric" and e["series"] == "train/loss"]
    assert len(at) == steps, f"{len(at)} steps logged, {steps} expected"
    return batch * (steps - warm) / (at[-1] - at[warm - 1])


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--model", choices=MODELS, default="CCT-7/3x1")
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--steps", type=int, default=40)
    options.add_argument("--batch", type=int, default=64)
    options.add_argument("--threads", type=int, default=2)
    options.add_argument("--images", type=int, default=10000)
    options.add_argument("--cifar", default="", help="folder with a sub-folder of pictures a class (CIFAR-10 unpacked)")
    options.add_argument("--workers", type=int, default=1, help="workers of the peer's DataLoader")
    options.add_argument("--cli", default=ROOT / "build" / "dev" / "app" / "espalier-cli")
    o = options.parse_args()
    python = install_peer()
    data = make_data(python, o.cifar, o.images)
    workspace = WORK / f"workspace-{data.stem}"
    if not (workspace / "catalog.sqlite").exists():
        sh(o.cli, "--workspace", workspace, "import", data, "--name", "bench", "--split", "1,0,0", stdout=subprocess.DEVNULL)
    shape = MODELS[o.model]
    ratios = []
    for i in range(o.rounds):
        peer = float(sh(python, "-c", PEER, *shape, o.batch, o.steps, o.threads, o.workers, data,
                        stdout=subprocess.PIPE, text=True).stdout)
        own = ours(o.cli, workspace, "bench", o.model, o.batch, o.steps, o.threads)
        ratios.append(own / peer)
        print(f"round {i + 1}: espalier {own:.2f} img/s, PyTorch eager {peer:.2f} img/s, ratio {own / peer:.2f}", flush=True)
    print(f"{o.model}, batch {o.batch}, {o.threads} threads: median ratio {statistics.median(ratios):.2f} (bar 1.1)")


if __name__ == "__main__":
    main()
