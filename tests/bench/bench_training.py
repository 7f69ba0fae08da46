#!/usr/bin/env python3
"""Training throughput against PyTorch eager, interleaved: python3 tests/bench/bench_training.py [--model NAME] [--rounds N]

Both train the same compact transformer on the same random CIFAR-shaped images with the same batch, threads and
augmentation (crop and flip), fused AdamW, fp32, attention dropout 0.1, stochastic depth 0.1. The peer is installed into
build/bench/peer once. Prints images a second of each round and the ratio; needs a built espalier-cli (build/dev/app).
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

layers, width, heads, ratio, convs, batch, steps, threads = map(int, sys.argv[1:9])
images = sys.argv[9]
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
data = numpy.load(images)


class Set(torch.utils.data.Dataset):
    t = T.Compose([T.RandomCrop(32, 4), T.RandomHorizontalFlip(), T.ToTensor(), T.Normalize((.5,) * 3, (.25,) * 3)])

    def __len__(self):
        return len(data["x"])

    def __getitem__(self, i):
        return self.t(Image.fromarray(data["x"][i])), int(data["y"][i])


loader = torch.utils.data.DataLoader(Set(), batch, shuffle=True, num_workers=1, drop_last=True, persistent_workers=True)
net = Net().train()
optimizer = torch.optim.AdamW(net.parameters(), lr=5e-4, weight_decay=3e-2, fused=True)
times, done, last = [], 0, time.perf_counter()
while done < steps:
    for x, y in loader:
        optimizer.zero_grad(set_to_none=True)
        loss = F.cross_entropy(net(x), y, label_smoothing=0.1)
        loss.backward()
        optimizer.step()
        loss.item()
        now = time.perf_counter()
        times.append(now - last)
        last, done = now, done + 1
        if done >= steps:
            break
print(batch / statistics.median(times[3:]))
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


def make_data(python, count):
    file = WORK / f"images-{count}.npz"
    if not file.exists():
        sh(python, "-c", "import numpy as n,sys; r=n.random.default_rng(0); "
           "n.savez(sys.argv[1], x=r.integers(0,256,(int(sys.argv[2]),32,32,3),dtype=n.uint8), y=n.arange(int(sys.argv[2]))%10)",
           file, count)
    return file


def ours(cli, workspace, model, batch, steps, threads):
    run = sh(cli, "--workspace", workspace, "--json", "run", "70", "--data", "bench", "--variant", model, "--batch", batch,
             "--epochs", "1", "--train_limit", batch * steps, "--recipe", "Q", "--augment", "crop+flip", "--flip", "on",
             "--probes", "0", "--threads", threads, "--log_every", "1", stdout=subprocess.PIPE, text=True)
    rates = [e["value"] for e in map(json.loads, run.stdout.splitlines())
             if e.get("event") == "metric" and e["series"] == "train/img_per_s"]
    return statistics.median(rates[3:])


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--model", choices=MODELS, default="CCT-7/3x1")
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--steps", type=int, default=20)
    options.add_argument("--batch", type=int, default=64)
    options.add_argument("--threads", type=int, default=2)
    options.add_argument("--images", type=int, default=10000)
    options.add_argument("--cli", default=ROOT / "build" / "dev" / "app" / "espalier-cli")
    o = options.parse_args()
    python = install_peer()
    data = make_data(python, o.images)
    workspace = WORK / "workspace"
    if not (workspace / "catalog.sqlite").exists():
        sh(o.cli, "--workspace", workspace, "import", data, "--name", "bench", "--split", "1,0,0", stdout=subprocess.DEVNULL)
    shape = MODELS[o.model]
    ratios = []
    for i in range(o.rounds):
        peer = float(sh(python, "-c", PEER, *shape, o.batch, o.steps, o.threads, data, stdout=subprocess.PIPE, text=True).stdout)
        own = ours(o.cli, workspace, o.model, o.batch, o.steps, o.threads)
        ratios.append(own / peer)
        print(f"round {i + 1}: espalier {own:.2f} img/s, PyTorch eager {peer:.2f} img/s, ratio {own / peer:.2f}", flush=True)
    print(f"{o.model}, batch {o.batch}, {o.threads} threads: median ratio {statistics.median(ratios):.2f} (bar 1.1)")


if __name__ == "__main__":
    main()
