"""Speed and peak memory of the metrics beside other packages, on the same features.

    python scripts/bench/bench_metrics.py [--count 5000] [--features 1280] [--pictures PACKED]

1-NN is measured on drawn faces with faint noise, since its speed depends on how much alike
images are; on a packed set of real ones; or, at its worst, on nothing but noise.

Each measurement runs in a process of its own. Packages that are not installed are left out:
scipy, scikit-learn, prdc, pytorch-fid, clean-fid, torch-fidelity (the last three need torch).
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

NEIGHBOURS = 5
NOISE = 4  # standard deviation, of 255


def features(count: int, d: int) -> tuple[np.ndarray, np.ndarray]:
    """Two correlated samples with float32 values, like those of a network."""
    random = np.random.default_rng(0)
    mix = random.standard_normal((d, d)) * np.geomspace(1, 0.01, d)[:, None] / np.sqrt(d)
    pair = random.standard_normal((2, count, d)) @ mix
    pair[1] += 0.01
    return tuple(pair.astype(np.float32))


def pictures(source: str, count: int) -> np.ndarray:
    """`(2, count, 64, 64, 3)` uint8: `drawn`, `noise`, or the folder of a packed set."""
    random = np.random.default_rng(0)
    if source == "noise":
        return random.integers(0, 256, (2, count, 64, 64, 3), np.uint8)
    from tfanime.prepare.load import load_data

    found = load_data(source, 64, count=2 * count) if source == "drawn" else load_data(source)
    rows = random.permutation(len(found))[: 2 * count]
    if len(rows) < 2 * count:
        raise ValueError(f"{2 * count} pictures are needed. Received: {source} with {len(found)}.")
    chosen = found.images(rows)
    if source == "drawn":
        noisy = chosen + random.normal(0, NOISE, chosen.shape).astype(np.float32)
        chosen = noisy.clip(0, 255).astype(np.uint8)
    return chosen.reshape(2, count, *chosen.shape[1:])


# ---- what is measured: two sets of features (1-NN: of images) to numbers --------------------


def fid_ours(a, b):
    from tfanime.metrics import fid_from_features

    return [fid_from_features(a, b)]


def _moments(a):
    a = a.astype(np.float64)
    return a.mean(axis=0), np.cov(a, rowvar=False)


def fid_scipy(a, b):
    import scipy.linalg

    (m1, c1), (m2, c2) = _moments(a), _moments(b)
    root = np.trace(scipy.linalg.sqrtm(c1 @ c2).real)
    return [np.square(m1 - m2).sum() + np.trace(c1) + np.trace(c2) - 2 * root]


def fid_pytorch_fid(a, b):
    from pytorch_fid.fid_score import calculate_frechet_distance

    return [calculate_frechet_distance(*_moments(a), *_moments(b))]


def fid_clean_fid(a, b):
    from cleanfid.fid import frechet_distance

    return [frechet_distance(*_moments(a), *_moments(b))]


def fid_torch_fidelity(a, b):
    import torch
    from torch_fidelity.metric_fid import fid_features_to_statistics, fid_statistics_to_metric

    one, two = (fid_features_to_statistics(torch.from_numpy(x.astype(np.float64))) for x in (a, b))
    return list(fid_statistics_to_metric(one, two, False).values())


def kid_ours(a, b):
    from tfanime.metrics import kid_from_features

    found = kid_from_features(a, b, seed=2020)
    return [found.mean, found.std]


def kid_torch_fidelity(a, b):
    import torch
    from torch_fidelity.metric_kid import kid_features_to_metric

    # In float64 like ours: in float32 its sums keep four digits.
    pair = [torch.from_numpy(x.astype(np.float64)) for x in (a, b)]
    options = {"kid_subset_size": min(1000, len(a)), "rng_seed": 2020, "verbose": False}
    return list(kid_features_to_metric(*pair, **options).values())


def score_ours(a, b):
    from tfanime.metrics import inception_score_from_posteriors, posteriors_from_logits

    found = inception_score_from_posteriors(posteriors_from_logits(a), seed=2020)
    return [found.mean, found.std]


def score_torch_fidelity(a, b):
    import torch
    from torch_fidelity.metric_isc import isc_features_to_metric

    return list(isc_features_to_metric(torch.from_numpy(a)).values())


def prdc_ours(a, b):
    from tfanime.metrics import prdc_from_features

    found = prdc_from_features(a, b, NEIGHBOURS)
    return [found.precision, found.recall, found.density, found.coverage]


def prdc_prdc(a, b):
    from prdc import compute_prdc

    return list(compute_prdc(a, b, NEIGHBOURS).values())


def neighbour_ours(a, b):
    from tfanime.metrics import nearest_neighbour_accuracy

    return [nearest_neighbour_accuracy(a, b).accuracy]


def neighbour_sklearn(a, b):
    from sklearn.neighbors import NearestNeighbors

    rows = np.concatenate([a, b]).reshape(2 * len(a), -1).astype(np.float32)
    search = NearestNeighbors(n_neighbors=1, algorithm="brute").fit(rows)
    # Without an argument the search leaves each row itself out.
    nearest = search.kneighbors(return_distance=False)[:, 0]
    return [np.mean((nearest < len(a)) == (np.arange(len(rows)) < len(a)))]


# metric -> (what it is measured on, ours, {package: (module to look for, function)})
METRICS = {
    "FID": (
        "features.npy",
        fid_ours,
        {
            "scipy sqrtm": ("scipy", fid_scipy),
            "pytorch-fid": ("pytorch_fid", fid_pytorch_fid),
            "clean-fid": ("cleanfid", fid_clean_fid),
            "torch-fidelity": ("torch_fidelity", fid_torch_fidelity),
        },
    ),
    "KID": ("features.npy", kid_ours, {"torch-fidelity": ("torch_fidelity", kid_torch_fidelity)}),
    "IS": (
        "features.npy",
        score_ours,
        {"torch-fidelity": ("torch_fidelity", score_torch_fidelity)},
    ),
    "PRDC": ("features.npy", prdc_ours, {"prdc": ("prdc", prdc_prdc)}),
    "1-NN": ("pictures.npy", neighbour_ours, {"scikit-learn": ("sklearn", neighbour_sklearn)}),
}


def measure(function: str, file: str) -> dict:
    """Runs in a process of its own; warms up on a small part first, for imports and threads."""
    pair = np.load(file)
    run = globals()[function]
    run(*(x[:50, :20] for x in pair))
    before = _peak()
    start = time.perf_counter()
    values = run(*pair)
    seconds = time.perf_counter() - start
    return {"seconds": seconds, "mib": _peak() - before, "values": [float(x) for x in values]}


def _peak() -> float:
    """Most memory that this process has held, MiB."""
    status = Path("/proc/self/status")
    if status.exists():  # ru_maxrss would begin at what the parent process held
        line = next(x for x in status.read_text().splitlines() if x.startswith("VmHWM"))
        return int(line.split()[1]) / 2**10
    unit = 2**20 if sys.platform == "darwin" else 2**10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


def in_a_process(function, file: Path) -> dict | str:
    """What `measure` finds, or the last line of what went wrong."""
    command = [sys.executable, __file__, "--measure", function.__name__, str(file)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        return (done.stderr.strip().splitlines() or ["it died"])[-1]
    return json.loads(done.stdout.splitlines()[-1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=5000, help="images of each set")
    parser.add_argument("--features", type=int, default=1280, help="features of an image")
    parser.add_argument(
        "--pictures", default="drawn", help="for 1-NN: drawn, noise, or a packed folder"
    )
    parser.add_argument("--only", choices=METRICS, help="one metric")
    parser.add_argument("--measure", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        print(json.dumps(measure(*options.measure)))
        return
    with tempfile.TemporaryDirectory() as folder:
        compare(options, Path(folder))


def compare(options, folder: Path) -> None:
    samples = {METRICS[name][0] for name in METRICS if options.only in (None, name)}
    if "features.npy" in samples:
        np.save(folder / "features.npy", features(options.count, options.features))
    if "pictures.npy" in samples:
        np.save(folder / "pictures.npy", pictures(options.pictures, options.count))
    print(f"2 x {options.count} rows of {options.features} features; 1-NN: {options.pictures}")
    print(f"{'':6}{'':16}{'seconds':>9}{'ratio':>8}{'MiB more':>10}{'difference':>12}")
    for metric, (sample, ours, others) in METRICS.items():
        if options.only not in (None, metric):
            continue
        own = in_a_process(ours, folder / sample)
        if isinstance(own, str):
            sys.exit(f"{metric}: {own}")
        print(f"{metric:6}{'tfanime':16}{own['seconds']:9.2f}{1:7.1f}x{own['mib']:10.0f}")
        for name, (module, function) in others.items():
            if importlib.util.find_spec(module) is None:
                print(f"{'':6}{name:16} not installed")
                continue
            found = in_a_process(function, folder / sample)
            if isinstance(found, str):
                print(f"{'':6}{name:16} {found}")
                continue
            scale = max(map(abs, own["values"]))
            off = max(abs(x - y) for x, y in zip(own["values"], found["values"], strict=True))
            ratio = found["seconds"] / own["seconds"]
            print(
                f"{'':6}{name:16}{found['seconds']:9.2f}{ratio:7.1f}x{found['mib']:10.0f}"
                f"{off / scale:12.1e}"
            )


if __name__ == "__main__":
    main()
