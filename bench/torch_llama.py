"""The benchmark's model in plain PyTorch, on the parameters and the batch that `dawn.mjs --export DIR` wrote.

    python3 torch_llama.py DIR [--device cuda] [--steps 20] > torch.json

The step is everybody's: loss and gradient of one batch, the gradient added to what was accumulated. Eager and compiled,
fp32 (TF32 off) and bf16 (autocast, parameters fp32). A row whose loss or gradient disagrees has no times.
"""

import argparse
import json
import math
import pathlib
import statistics
import sys
import time

import torch
import torch.nn.functional as F

TOLERANCE = {"fp32": (1e-4, 1e-3), "bf16": (1e-2, 1e-1)}
IGNORED_TARGET = -100
ROUNDS = 3


def rms_norm(x, weight, epsilon):
    return x * torch.rsqrt(x.float().square().mean(-1, keepdim=True) + epsilon) * weight


def rotate(x, cos, sin):
    """x [B, heads, T, d], cos and sin [T, d]: the convention of transformers (rotate_half)."""
    first, second = x.chunk(2, -1)
    return x * cos + torch.cat((-second, first), -1) * sin


class Llama(torch.nn.Module):
    def __init__(self, config, length, tensors):
        super().__init__()
        self.config = config
        self.names = {name: name.replace(".", "/") for name in tensors}
        self.weights = torch.nn.ParameterDict({self.names[name]: tensor for name, tensor in tensors.items()})
        half = config["headDim"] // 2
        frequencies = config["ropeTheta"] ** (-torch.arange(half, dtype=torch.float64) / half)
        angles = torch.outer(torch.arange(length, dtype=torch.float64), frequencies).repeat(1, 2)
        self.register_buffer("cos", angles.cos().float())
        self.register_buffer("sin", angles.sin().float())

    def forward(self, tokens, targets):
        """The sum of the losses of a [B, T] batch."""
        c = self.config
        batch, length = tokens.shape

        def weight(name):
            return self.weights[self.names[name]]

        def heads(x, name, count):
            return F.linear(x, weight(name)).view(batch, length, count, c["headDim"]).transpose(1, 2)

        x = F.embedding(tokens, weight("model.embed_tokens.weight"))
        for layer in range(c["numLayers"]):
            p = f"model.layers.{layer}"
            normed = rms_norm(x, weight(f"{p}.input_layernorm.weight"), c["rmsNormEps"])
            q = rotate(heads(normed, f"{p}.self_attn.q_proj.weight", c["numHeads"]), self.cos, self.sin)
            k = rotate(heads(normed, f"{p}.self_attn.k_proj.weight", c["numKvHeads"]), self.cos, self.sin)
            v = heads(normed, f"{p}.self_attn.v_proj.weight", c["numKvHeads"])
            repeats = c["numHeads"] // c["numKvHeads"]
            k, v = (t.to(q.dtype).repeat_interleave(repeats, 1) for t in (k, v))
            mixed = F.scaled_dot_product_attention(q, k, v, is_causal=True).transpose(1, 2).reshape(batch, length, -1)
            x = x + F.linear(mixed, weight(f"{p}.self_attn.o_proj.weight"))
            inner = rms_norm(x, weight(f"{p}.post_attention_layernorm.weight"), c["rmsNormEps"])
            gated = F.silu(F.linear(inner, weight(f"{p}.mlp.gate_proj.weight"))) * F.linear(
                inner, weight(f"{p}.mlp.up_proj.weight")
            )
            x = x + F.linear(gated, weight(f"{p}.mlp.down_proj.weight"))
        head = "model.embed_tokens.weight" if c["tieWordEmbeddings"] else "lm_head.weight"
        logits = F.linear(rms_norm(x, weight("model.norm.weight"), c["rmsNormEps"]), weight(head))
        return F.cross_entropy(
            logits.flatten(0, 1).float(), targets.flatten(), ignore_index=IGNORED_TARGET, reduction="sum"
        )


def read(folder, device):
    folder = pathlib.Path(folder)
    model = json.loads((folder / "model.json").read_text())

    def array(name, dtype):
        return torch.frombuffer(bytearray((folder / name).read_bytes()), dtype=dtype)

    flat = array("parameters.f32", torch.float32)
    tensors = {
        spec["name"]: flat[spec["offset"] : spec["offset"] + spec["size"]].view(spec["shape"]).clone()
        for spec in model["parameters"]
    }
    shape = (model["sequences"], model["length"])
    tokens = array("tokens.i32", torch.int32).view(shape).long().to(device)
    targets = array("targets.i32", torch.int32).view(shape).long().to(device)
    return model, tensors, tokens, targets


def disagreement(model, loss, gradients):
    """Relative errors of the loss and of the sampled gradient elements; gradients by parameter name."""
    expected = model["expected"]
    worst = 0.0
    for spec, tensor in zip(model["parameters"], expected["tensors"]):
        gradient = gradients[spec["name"]].flatten()
        for index, value in tensor["samples"]:
            error = abs(gradient[index - spec["offset"]].item() - value) / tensor["magnitude"]
            worst = error if not error <= worst else worst
    return abs(loss - expected["loss"]) / expected["loss"], worst


def spread(times):
    ordered = sorted(times)

    def at(share):
        return ordered[round(share * (len(ordered) - 1))]

    return {"median": statistics.median_high(ordered), "low": at(0.25), "high": at(0.75)}


def measure(folder, device, compiled, precision, steps):
    model, tensors, tokens, targets = read(folder, device)
    predicted = int((targets != IGNORED_TARGET).sum())
    if device == "cuda":
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()
    torch._dynamo.reset()
    begun = time.perf_counter()
    llama = Llama(model["config"], model["length"], tensors).to(device)
    forward = torch.compile(llama) if compiled else llama

    def step():
        with torch.autocast(device, torch.bfloat16, enabled=precision == "bf16"):
            loss = forward(tokens, targets)
        loss.backward()
        return loss

    loss = step().item() / predicted
    start = time.perf_counter() - begun
    gradients = {name: llama.weights[key].grad / predicted for name, key in llama.names.items()}
    loss_error, gradient_error = disagreement(model, loss, gradients)
    figures = {"loss": loss, "lossError": loss_error, "gradientError": gradient_error, "stepMs": None}
    loss_tolerance, gradient_tolerance = TOLERANCE[precision]
    if not (loss_error <= loss_tolerance and gradient_error <= gradient_tolerance):
        if not all(map(math.isfinite, (loss, loss_error, gradient_error))):
            raise ArithmeticError("the loss or a gradient is not finite")
        return figures
    # As everywhere: the gradients stay and are added to. The first such step allocates, or compiles another graph.
    for _ in range(2):
        step().item()

    def timed(count):
        begun = time.perf_counter()
        for _ in range(count):
            loss = step()
        loss.item()
        if device == "cuda":
            torch.cuda.synchronize()
        return 1_000 * (time.perf_counter() - begun) / count

    return {
        **figures,
        "stepMs": spread([timed(1) for _ in range(steps)]),
        "pipelinedMs": spread([timed(steps) for _ in range(ROUNDS)]),
        "nodes": None,
        "dispatches": None,
        "startMs": 1_000 * start,
        "peakGpuBytes": torch.cuda.max_memory_allocated() if device == "cuda" else None,
        "compressMs": None,
        "applyMs": None,
    }


def products(device):
    """FLOP/s of square products, after a first one that picks the library's kernel."""
    rows = []
    for n in (1024, 2048, 4096, 8192) if device == "cuda" else (512,):
        for precision, dtype in (("fp32", torch.float32), ("bf16", torch.bfloat16)):
            a, b = (torch.randn(n, n, device=device, dtype=dtype) for _ in range(2))
            best = 0.0
            for count in (1, 4, 32, 32):
                begun = time.perf_counter()
                for _ in range(count):
                    c = a @ b
                # A read waits for the device.
                c[0, 0].item()
                best = max(best, 2 * n**3 * count / (time.perf_counter() - begun))
            rows.append({"contender": "pytorch", "precision": precision, "m": n, "k": n, "n": n, "flops": best})
    return rows


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path, help="a folder with one folder for each model")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--steps", type=int, default=20)
    options = parser.parse_args()
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False
    device = options.device
    name = torch.cuda.get_device_name() if device == "cuda" else "processor"
    rows = []
    models = sorted((path.parent for path in options.folder.glob("*/model.json")), key=lambda path: path.stat().st_mtime)
    for folder in models:
        about = json.loads((folder / "model.json").read_text())
        for compiled in (False, True):
            for precision in ("fp32", "bf16"):
                contender = "pytorch, compiled" if compiled else "pytorch, eager"
                figures, reason = None, None
                try:
                    figures = measure(folder, device, compiled, precision, options.steps)
                except Exception as error:  # One way that fails must not take the others with it.
                    reason = f"{type(error).__name__}: {str(error)[:500]}"
                row = {key: about[key] for key in ("workload", "sequences", "length")}
                rows.append(
                    {**row, "contender": contender, "precision": precision, "figures": figures, "reason": reason}
                )
                outcome = reason or ("void" if figures["stepMs"] is None else f"{figures['stepMs']['median']:.2f} ms")
                print(f"{about['workload']}, {contender}, {precision}: {outcome}", file=sys.stderr)
    runner = f"PyTorch {torch.__version__} (CUDA {torch.version.cuda}) on {name}"
    json.dump({"runner": runner, "products": products(device), "rows": rows}, sys.stdout)


if __name__ == "__main__":
    main()
