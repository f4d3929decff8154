#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
#
# operators.py FILE: writes the cases of test_operators.c, a safetensors file
# with small ONNX models at odd shapes, one or more for each operator that is
# read: the tensors NAME.open and NAME.one (models with an open batch and for one
# image), NAME.x (images), NAME.y (logits) and NAME.g, the gradient of the sum of
# ((7 i) mod 11 - 5) / 4 times logit i with respect to x. The oracle is PyTorch
# in double precision, or the formulas of ONNX's specification (resize), never
# the library. Run it again when a case is added; torch 1.13 is enough.

import json
import math
import struct
import sys

import torch
import torch.nn.functional as F

torch.manual_seed(7)
N = 2
cases = {}

# ------------------------------------------------------------- protocol buffers


def varint(x):
    x &= (1 << 64) - 1
    out = bytearray()
    while x > 127:
        out.append(x & 127 | 128)
        x >>= 7
    out.append(x)
    return bytes(out)


def number(field, x):
    return varint(field << 3) + varint(x)


def chunk(field, data):
    data = data.encode() if isinstance(data, str) else data
    return varint(field << 3 | 2) + varint(len(data)) + data


def real(field, x):
    return varint(field << 3 | 5) + struct.pack("<f", x)


FLOAT, INT32, INT64, BOOL, HALF, DOUBLE, BF16 = 1, 6, 7, 9, 10, 11, 16


def tensor(name, t, how="raw"):
    """how: raw, list (the typed field), half, bf16, double."""
    out = b"".join(number(1, d) for d in t.shape) + chunk(8, name)
    flat = t.reshape(-1)
    if t.dtype in (torch.int64, torch.bool):
        kind = INT64 if t.dtype == torch.int64 else BOOL
        v = [int(x) for x in flat]
        if how == "list":
            data = b"".join(varint(x) for x in v)
            return out + number(2, kind) + chunk(7 if kind == INT64 else 5,
                                                 data)
        form = "<%dq" if kind == INT64 else "<%dB"
        return out + number(2, kind) + chunk(9, struct.pack(form % len(v), *v))
    v = flat.tolist()
    if how in ("half", "bf16"):
        bits = flat.half() if how == "half" else flat.bfloat16()
        words = [w & 0xffff for w in bits.view(torch.int16).tolist()]
        return out + number(2, HALF if how == "half" else BF16) + chunk(
            9, struct.pack("<%dH" % len(v), *words))
    if how == "halves":  # in the list of int32
        words = flat.half().view(torch.int16).tolist()
        return out + number(2, HALF) + chunk(
            5, b"".join(varint(w & 0xffff) for w in words))
    if how == "double":
        return out + number(2, DOUBLE) + chunk(
            10, struct.pack("<%dd" % len(v), *v))
    return out + number(2, FLOAT) + chunk(
        4 if how == "list" else 9, struct.pack("<%df" % len(v), *v))


def attribute(key, x):
    out = chunk(1, key)
    if isinstance(x, bool) or isinstance(x, int):
        return out + number(3, int(x)) + number(20, 2)
    if isinstance(x, float):
        return out + real(2, x) + number(20, 1)
    if isinstance(x, str):
        return out + chunk(4, x) + number(20, 3)
    if isinstance(x, torch.Tensor):
        return out + chunk(5, tensor("", x)) + number(20, 4)
    if x and isinstance(x[0], float):
        return out + b"".join(real(7, v) for v in x) + number(20, 6)
    return out + b"".join(number(8, v) for v in x) + number(20, 7)


def node(op, inputs, output="y", **attributes):
    outputs = [output] if isinstance(output, str) else output
    names = inputs.split() if isinstance(inputs, str) else inputs
    out = b"".join(chunk(1, "" if i == "-" else i) for i in names)
    out += b"".join(chunk(2, o) for o in outputs)
    out += chunk(3, outputs[0]) + chunk(4, op)
    return out + b"".join(chunk(5, attribute(k, v))
                          for k, v in attributes.items())


def info(name, dims):
    shape = b"".join(chunk(1, number(1, d) if d else chunk(2, "n"))
                     for d in dims)
    kind = number(1, FLOAT) + chunk(2, shape)
    return chunk(1, name) + chunk(2, chunk(1, kind))


def model(opset, dims, nodes, tensors):
    graph = b"".join(chunk(1, n) for n in nodes)
    graph += chunk(1, node("Flatten", "y", "out")) + chunk(2, "g")
    graph += b"".join(chunk(5, t) for t in tensors)
    graph += chunk(11, info("in", dims)) + chunk(12, info("out", [0, 0]))
    return number(1, 8) + chunk(7, graph) + chunk(8, number(2, opset))


# -------------------------------------------------------------------- cases


def case(name, opset, nodes, function, shape=(3, 5, 4), draw=None, both=True,
         **constants):
    """function(x, **constants) is what `nodes` compute of "in"; a constant is
    a tensor, or a pair of one and how the file holds it."""
    given = {k: c if isinstance(c, tuple) else (c, "raw")
             for k, c in constants.items()}
    tensors = [tensor(k, t, how) for k, (t, how) in given.items()]
    exact = {}
    for k, (t, how) in given.items():
        t = t.half() if how in ("half", "halves") else t
        t = t.bfloat16() if how == "bf16" else t
        exact[k] = t.double() if t.is_floating_point() else t
    x = torch.randn(N, *shape) if draw is None else draw(N, *shape)
    x = x.float().double().requires_grad_(True)
    y = function(x, **exact).reshape(N, -1)
    v = (torch.arange(y.numel()) * 7 % 11 - 5).double().reshape(y.shape) / 4
    (y * v).sum().backward()
    assert name not in cases, name
    models = [model(opset, (n, *shape), nodes, tensors) for n in (0, 1)]
    cases[name] = (models, x.detach(), y.detach(), x.grad)


def ints(*x):
    return torch.tensor(x, dtype=torch.int64)


def floats(*x):
    return torch.tensor(x, dtype=torch.float32)


def rand(*shape):
    return torch.randn(shape)


def positive(*shape):
    return torch.rand(shape) + 0.5


def spaced(*shape):
    """Distinct multiples of 1/16: no ties."""
    n = math.prod(shape)
    return ((torch.randperm(n) - n // 2).float() / 16 + 1 / 32).reshape(shape)


def one(op, **attributes):
    return [node(op, "in", **attributes)]


# ------------------------------------------------------------------- layers


def conv(name, weights, bias=None, pads=None, padded=(0, 0, 0, 0),
         shape=(4, 7, 5), **a):
    """padded: torch's order: left, right, top, bottom."""
    attributes = dict(a)
    if pads is not None:
        attributes["pads"] = pads
    names = "in w" if bias is None else "in w b"
    constants = {"w": weights} if bias is None else {"w": weights, "b": bias}

    def function(x, w, b=None):
        return F.conv2d(F.pad(x, padded), w, b, a.get("strides", [1, 1]), 0,
                        a.get("dilations", [1, 1]), a.get("group", 1))
    case(name, 11, [node("Conv", names, **attributes)], function, shape,
         **constants)


conv("conv", rand(3, 4, 3, 2), rand(3))
conv("conv groups", rand(6, 2, 3, 3), rand(6), [1, 1, 1, 1], (1, 1, 1, 1),
     group=2, kernel_shape=[3, 3])
conv("conv depthwise", rand(4, 1, 3, 3), None, [1, 1, 1, 1], (1, 1, 1, 1),
     group=4, strides=[2, 2])
conv("conv dilation", rand(3, 4, 3, 2), rand(3), [2, 1, 2, 1], (1, 1, 2, 2),
     dilations=[2, 3], strides=[1, 2])
conv("conv uneven pads", rand(3, 4, 3, 3), rand(3), [0, 2, 1, 0], (2, 0, 0, 1))
conv("conv more at the end", rand(3, 4, 3, 3), rand(3), [1, 1, 2, 2],
     (1, 2, 1, 2), strides=[2, 2])
conv("conv same upper", rand(3, 4, 2, 4), rand(3), None, (1, 2, 0, 1),
     auto_pad="SAME_UPPER")
conv("conv same lower", rand(3, 4, 2, 4), rand(3), None, (2, 1, 1, 0),
     auto_pad="SAME_LOWER")
conv("conv same upper strides", rand(3, 4, 3, 3), rand(3), None, (1, 1, 1, 1),
     auto_pad="SAME_UPPER", strides=[2, 2])
conv("conv same upper dilation", rand(3, 4, 2, 2), rand(3), None, (1, 1, 1, 1),
     auto_pad="SAME_UPPER", dilations=[2, 2])
conv("conv valid", rand(3, 4, 3, 3), rand(3), [1, 1, 1, 1], (0, 0, 0, 0),
     auto_pad="VALID")
conv("conv not set", rand(3, 4, 3, 3), rand(3), [1, 0, 1, 0], (0, 0, 1, 1),
     auto_pad="NOTSET")
FLAT = [node("Flatten", "in", "flat")]
for t in (0, 1):
    w = rand(6, 60) if t else rand(60, 6)
    case(f"gemm transB {t}", 13, FLAT + [node("Gemm", "flat w b", transB=t)],
         lambda x, w, b, t=t: x.flatten(1) @ (w.T if t else w) + b, w=w,
         b=rand(6))
case("gemm alpha beta", 9,
     FLAT + [node("Gemm", "flat w b", alpha=0.5, beta=-2.0)],
     lambda x, w, b: 0.5 * (x.flatten(1) @ w) - 2 * b, w=rand(60, 6),
     b=rand(1, 6))
case("gemm bias of one", 11, FLAT + [node("Gemm", "flat w b", beta=3.0)],
     lambda x, w, b: x.flatten(1) @ w + 3 * b, w=rand(60, 6), b=rand(1))
case("gemm no bias", 11, FLAT + [node("Gemm", "flat w")],
     lambda x, w: x.flatten(1) @ w, w=rand(60, 6))
case("gemm transA", 13,
     FLAT + [node("Transpose", "flat", "t", perm=[1, 0]),
             node("Gemm", "t w b", transA=1)],
     lambda x, w, b: x.flatten(1) @ w + b, w=rand(60, 6), b=rand(6))
case("gemm of rows", 13,
     [node("Reshape", "in s", "r"), node("Gemm", "r w b", "g", transB=1),
      node("Reshape", "g t")],
     lambda x, s, t, w, b: x @ w.T + b, s=ints(-1, 4), t=ints(-1, 90),
     w=rand(6, 4), b=rand(6))
case("matmul constant", 13, [node("MatMul", "in w")],
     lambda x, w: x @ w, w=rand(4, 7))
case("matmul matrix", 13, FLAT + [node("MatMul", "flat w")],
     lambda x, w: x.flatten(1) @ w, w=rand(60, 7))
case("matmul of values", 13,
     [node("Transpose", "in", "t", perm=[0, 1, 3, 2]), node("MatMul", "in t")],
     lambda x: x @ x.transpose(2, 3))

# -------------------------------------------------------------- activations

ACTIVATIONS = {
    "Relu": (9, F.relu, {}), "Sigmoid": (9, torch.sigmoid, {}),
    "Tanh": (9, torch.tanh, {}), "Softplus": (9, F.softplus, {}),
    "Exp": (9, torch.exp, {}), "Erf": (9, torch.erf, {}),
    "LeakyRelu": (9, lambda x: F.leaky_relu(x, 0.2), {"alpha": 0.2}),
    "Elu": (9, lambda x: F.elu(x, 0.7), {"alpha": 0.7}),
    "HardSwish": (14, F.hardswish, {}), "Mish": (18, F.mish, {}),
    "Gelu": (20, F.gelu, {}), "Abs": (9, torch.abs, {}),
    "Neg": (9, torch.neg, {}), "Identity": (9, lambda x: 1 * x, {}),
    "Dropout": (9, lambda x: 1 * x, {"ratio": 0.5}),
}
for op, (opset, f, a) in ACTIVATIONS.items():
    case(op, opset, one(op, **a), f)
case("Dropout of nothing in training", 12, [node("Dropout", "in r t")],
     lambda x, r, t: 1 * x, r=torch.tensor(0.0), t=torch.tensor(True))
case("LeakyRelu default", 16, one("LeakyRelu"), F.leaky_relu)
case("Elu default", 16, one("Elu"), F.elu)
case("HardSigmoid", 9, one("HardSigmoid", alpha=1 / 6, beta=0.5),
     F.hardsigmoid)
case("HardSigmoid default", 9, one("HardSigmoid"),
     lambda x: torch.clamp(0.2 * x + 0.5, 0, 1))
case("Gelu tanh", 20, one("Gelu", approximate="tanh"),
     lambda x: F.gelu(x, approximate="tanh"))
case("Gelu of erf", 13,
     [node("Div", "in r", "a"), node("Erf", "a", "b"),
      node("Add", "b one", "c"), node("Mul", "in c", "d"),
      node("Mul", "d half")],
     lambda x, **c: 0.5 * x * (1 + torch.erf(x / c["r"])),
     r=torch.tensor(2.0 ** 0.5), one=torch.tensor(1.0), half=torch.tensor(0.5))
case("SiLU", 13, [node("Sigmoid", "in", "s"), node("Mul", "in s")], F.silu)
case("SiLU turned", 13, [node("Sigmoid", "in", "s"), node("Mul", "s in")],
     F.silu)
case("Sigmoid times another", 13,
     [node("Sigmoid", "in", "s"), node("Relu", "in", "r"),
      node("Mul", "r s")], lambda x: F.relu(x) * torch.sigmoid(x))
case("Log", 9, one("Log"), torch.log, draw=positive)
case("Sqrt", 9, one("Sqrt"), torch.sqrt, draw=positive)
case("Reciprocal", 9, one("Reciprocal"), torch.reciprocal, draw=positive)
case("PRelu channels", 9, [node("PRelu", "in s")],
     lambda x, s: torch.where(x > 0, x, s * x), s=rand(3, 1, 1))
case("PRelu one", 9, [node("PRelu", "in s")],
     lambda x, s: torch.where(x > 0, x, s * x), s=rand(1))
case("PRelu last axis", 16, [node("PRelu", "in s")],
     lambda x, s: torch.where(x > 0, x, s * x), shape=(3, 5, 3), s=rand(3))
case("PRelu each", 16, [node("PRelu", "in s")],
     lambda x, s: torch.where(x > 0, x, s * x), s=rand(3, 5, 4))
case("PRelu of rows", 9, FLAT + [node("PRelu", "flat s")],
     lambda x, s: torch.where(x.flatten(1) > 0, x.flatten(1),
                              s * x.flatten(1)), s=rand(60))
case("Clip attributes", 9, one("Clip", min=-0.5, max=0.75),
     lambda x: torch.clamp(x, -0.5, 0.75))
case("Clip inputs", 11, [node("Clip", "in a b")],
     lambda x, a, b: torch.clamp(x, -0.5, 0.75), a=torch.tensor(-0.5),
     b=torch.tensor(0.75))
case("Clip above", 13, [node("Clip", "in - b")],
     lambda x, b: torch.clamp(x, max=0.25), b=torch.tensor(0.25))
case("Clip below", 13, [node("Clip", "in a")],
     lambda x, a: torch.clamp(x, min=0.25), a=torch.tensor(0.25))
case("Relu6", 13, [node("Clip", "in a b")],
     lambda x, a, b: F.relu6(x), draw=lambda *s: 6 * rand(*s),
     a=torch.tensor(0.0), b=torch.tensor(6.0))
for op, f in (("Softmax", F.softmax), ("LogSoftmax", F.log_softmax)):
    case(f"{op} 13", 13, one(op), lambda x, f=f: f(x, -1))
    case(f"{op} axis 1", 13, one(op, axis=1), lambda x, f=f: f(x, 1))
    case(f"{op} 9 rows", 9, FLAT + [node(op, "flat")],
         lambda x, f=f: f(x.flatten(1), 1))
    case(f"{op} 11 of all axes", 11, one(op),
         lambda x, f=f: f(x.flatten(1), 1))
    case(f"{op} 11 of two axes", 11, one(op, axis=2),
         lambda x, f=f: f(x.flatten(2), 2))
    case(f"{op} 11 of the last axis", 11, one(op, axis=3),
         lambda x, f=f: f(x, 3))

# --------------------------------------------------------------- arithmetic

BINARY = {"Add": torch.add, "Sub": torch.sub, "Mul": torch.mul,
          "Div": torch.div, "Max": torch.maximum, "Min": torch.minimum}
for op, f in BINARY.items():
    for shape in ((), (1,), (4,), (5, 1), (3, 1, 1), (1, 3, 5, 4)):
        c = positive(*shape)
        if op in ("Max", "Min"):
            c = c - 0.8
        case(f"{op} {list(shape)}", 13, [node(op, "in c")],
             lambda x, c, f=f: f(x, c), c=c)
    case(f"{op} from the left", 13, [node(op, "c in")],
         lambda x, c, f=f: f(c, x), draw=positive, c=rand(3, 1, 1))
    case(f"{op} number from the left", 9, [node(op, "c in")],
         lambda x, c, f=f: f(c, x), draw=positive, c=torch.tensor(1.1))
    case(f"{op} of values", 9,
         [node("GlobalAveragePool", "in", "p"), node("Abs", "p", "q"),
          node(op, "in q")],
         lambda x, f=f: f(x, x.mean((2, 3), keepdim=True).abs()))
case("Pow 2", 13, [node("Pow", "in c")], lambda x, c: x ** 2,
     c=torch.tensor(2.0))
case("Pow 3", 13, [node("Pow", "in c")], lambda x, c: x ** 3, draw=positive,
     c=torch.tensor(3.0))
case("Pow half", 13, [node("Pow", "in c")], lambda x, c: x ** 0.5,
     draw=positive, c=torch.tensor(0.5))
case("Pow whole number", 13, [node("Pow", "in c")], lambda x, c: x ** 3,
     draw=positive, c=ints(3))
case("Pow channels", 13, [node("Pow", "in c")], lambda x, c: x ** c,
     draw=positive, c=positive(3, 1, 1))
case("Sum", 13, [node("Relu", "in", "a"), node("Neg", "in", "b"),
                 node("Sum", "in a b")], lambda x: F.relu(x))

# -------------------------------------------------------------------- pools


def pools(name, kernel, pads=(0, 0, 0, 0), opset=10, shape=(2, 7, 6), **a):
    """pads: as PyTorch has them, alike on both sides, or padded before."""
    stride = a.get("strides", [1, 1])
    ceil = bool(a.get("ceil_mode", 0))
    top, left, bottom, right = pads
    even = top == bottom and left == right
    own = dict(a)
    if any(pads) and "auto_pad" not in a:
        own["pads"] = list(pads)

    def average(x, counted):
        if even:
            return F.avg_pool2d(x, kernel, stride, (top, left), ceil, counted)
        p = (left, right, top, bottom)
        s = F.avg_pool2d(F.pad(x, p), kernel, stride, 0, ceil)
        m = F.avg_pool2d(F.pad(torch.ones_like(x), p), kernel, stride, 0, ceil)
        return s if counted else s / m

    def most(x):
        dilation = a.get("dilations", [1, 1])
        if even:
            return F.max_pool2d(x, kernel, stride, (top, left), dilation, ceil)
        x = F.pad(x, (left, right, top, bottom), value=-1e9)
        return F.max_pool2d(x, kernel, stride, 0, dilation, ceil)

    case(f"MaxPool {name}", opset, one("MaxPool", kernel_shape=kernel, **own),
         most, shape, spaced)
    if "dilations" in a:
        return
    for counted in (False, True):
        case(f"AveragePool {name} counted {counted}", opset,
             one("AveragePool", kernel_shape=kernel,
                 count_include_pad=int(counted), **own),
             lambda x, c=counted: average(x, c), shape)


pools("plain", [2, 3])
pools("strides", [3, 2], strides=[2, 3])
pools("pads", [3, 3], (1, 1, 1, 1), strides=[2, 2])
pools("ceil", [3, 3], strides=[2, 2], ceil_mode=1, shape=(2, 6, 8))
pools("ceil and pads", [3, 3], (1, 1, 1, 1), strides=[2, 2], ceil_mode=1,
      shape=(2, 6, 8))
pools("last window in the padding", [2, 2], (1, 1, 1, 1), strides=[3, 3],
      ceil_mode=1, shape=(2, 7, 7))
pools("uneven pads", [3, 3], (0, 1, 2, 0), strides=[2, 1])
pools("same upper", [3, 3], (1, 0, 1, 1), strides=[2, 2],
      auto_pad="SAME_UPPER", shape=(2, 7, 6))
pools("same lower", [3, 3], (1, 1, 1, 0), strides=[2, 2],
      auto_pad="SAME_LOWER", shape=(2, 7, 6))
pools("valid", [3, 2], strides=[2, 2], auto_pad="VALID")
pools("dilation", [2, 3], dilations=[3, 2])
case("Pad and AveragePool", 14,
     [node("Pad", "in p z", "q"),
      node("AveragePool", "q", kernel_shape=[3, 3], strides=[2, 2])],
     lambda x, **c: F.avg_pool2d(x, 3, 2, 1), shape=(2, 7, 6),
     p=ints(0, 0, 1, 1, 0, 0, 1, 1), z=torch.tensor(0.0))
case("GlobalAveragePool", 9, one("GlobalAveragePool"),
     lambda x: x.mean((2, 3)))
case("GlobalMaxPool", 9, one("GlobalMaxPool"), lambda x: x.amax((2, 3)),
     draw=spaced)

REDUCE = {"ReduceMean": (18, torch.mean), "ReduceSum": (13, torch.sum),
          "ReduceMax": (18, torch.amax), "ReduceMin": (18, torch.amin)}
for op, (since, f) in REDUCE.items():
    for axes in ([2, 3], [1], [-1], [1, 3]):
        for keep in (0, 1):
            def function(x, f=f, axes=axes, keep=keep, **c):
                return f(x, axes, bool(keep))
            case(f"{op} {axes} keepdims {keep}", since - 1,
                 one(op, axes=axes, keepdims=keep), function, draw=spaced)
            case(f"{op} {axes} keepdims {keep} as input", since,
                 [node(op, "in a", keepdims=keep)], function, draw=spaced,
                 a=ints(*axes))
    case(f"{op} of no axes", 18, [node(op, "in", noop_with_empty_axes=1)],
         lambda x: 1 * x)

# -------------------------------------------------------------------- norms


def batch_norm(x, w, b, m, v):
    return F.batch_norm(x, m, v, w, b, False, 0, 1e-3)


for opset in (9, 14, 15):
    case(f"BatchNormalization {opset}", opset,
         [node("BatchNormalization", "in w b m v", epsilon=1e-3,
               momentum=0.9)], batch_norm, w=rand(3), b=rand(3), m=rand(3),
         v=positive(3))
case("LayerNormalization", 17, [node("LayerNormalization", "in w b")],
     lambda x, w, b: F.layer_norm(x, [4], w, b), w=rand(4), b=rand(4))
case("LayerNormalization axis 1", 17,
     [node("LayerNormalization", "in w b", axis=1, epsilon=1e-2)],
     lambda x, w, b: F.layer_norm(x, [3, 5, 4], w, b, 1e-2), w=rand(3, 5, 4),
     b=rand(3, 5, 4))
case("LayerNormalization without bias", 17,
     [node("LayerNormalization", "in w", axis=-2)],
     lambda x, w: F.layer_norm(x, [5, 4], w), w=rand(5, 4))
case("layer norm of nodes", 11,
     [node("ReduceMean", "in", "m", axes=[-1]), node("Sub", "in m", "d"),
      node("Pow", "d two", "q"), node("ReduceMean", "q", "v", axes=[-1]),
      node("Add", "v eps", "e"), node("Sqrt", "e", "s"),
      node("Div", "d s", "n"), node("Mul", "n w", "o"), node("Add", "o b")],
     lambda x, **c: F.layer_norm(x, [4], c["w"], c["b"]),
     two=torch.tensor(2.0), eps=torch.tensor(1e-5), w=rand(4), b=rand(4))
case("InstanceNormalization", 9,
     [node("InstanceNormalization", "in w b", epsilon=1e-3)],
     lambda x, w, b: F.instance_norm(x, None, None, w, b, eps=1e-3), w=rand(3),
     b=rand(3))
case("group norm of nodes", 11,
     [node("Reshape", "in s", "r"),
      node("InstanceNormalization", "r w b", "i"), node("Shape", "in", "t"),
      node("Reshape", "i t")],
     lambda x, **c: F.group_norm(x, 2), shape=(4, 3, 2), s=ints(0, 2, -1),
     w=torch.ones(2), b=torch.zeros(2))

# ------------------------------------------------------- shapes and selections

for mode, torchs in (("constant", "constant"), ("reflect", "reflect"),
                     ("edge", "replicate")):
    case(f"Pad {mode}", 11, [node("Pad", "in p", mode=mode)],
         lambda x, p, m=torchs: F.pad(x, (2, 1, 1, 0), m),
         p=ints(0, 0, 1, 2, 0, 0, 0, 1))
    case(f"Pad {mode} attributes", 9,
         one("Pad", mode=mode, pads=[0, 0, 1, 2, 0, 0, 0, 1]),
         lambda x, m=torchs: F.pad(x, (2, 1, 1, 0), m))
case("Pad wrap", 19, [node("Pad", "in p", mode="wrap")],
     lambda x, p: F.pad(x, (2, 1, 1, 0), "circular"),
     p=ints(0, 0, 1, 2, 0, 0, 0, 1))
case("Pad value", 13, [node("Pad", "in p v")],
     lambda x, p, v: F.pad(x, (0, 1, 1, 0), value=0.75),
     p=ints(0, 0, 1, 0, 0, 0, 0, 1), v=torch.tensor(0.75))
case("Pad value attribute", 9, one("Pad", pads=[0, 1, 0, 0, 0, 0, 0, 2],
                                   value=-0.5),
     lambda x: F.pad(x, (0, 2, 0, 0, 1, 0), value=-0.5))
case("Pad axes", 18, [node("Pad", "in p - a")],
     lambda x, p, a: F.pad(x, (2, 1, 0, 3)), p=ints(2, 0, 1, 3),
     a=ints(-1, 2))
case("Pad crops", 13, [node("Pad", "in p")],
     lambda x, p: F.pad(x, (-1, 0, 1, -2)),
     p=ints(0, 0, 1, -1, 0, 0, -2, 0))
for axis in (1, 2, -1):
    case(f"Concat {axis}", 13,
         [node("Relu", "in", "r"), node("Concat", "in r in", axis=axis)],
         lambda x, a=axis: torch.cat([x, F.relu(x), x], a))
case("Concat constant", 13, [node("Concat", "c in", axis=1)],
     lambda x, c: torch.cat([c.expand(N, -1, -1, -1), x], 1),
     c=rand(1, 2, 5, 4))


def slices(name, function, starts, ends, axes=None, steps=None):
    parts = {"s": ints(*starts), "e": ints(*ends)}
    names = "in s e"
    if axes is not None:
        parts["a"] = ints(*axes)
        names += " a"
    if steps is not None:
        parts["t"] = ints(*steps)
        names += " t" if axes is not None else " - t"
    case("Slice " + name, 13, [node("Slice", names)],
         lambda x, **c: function(x), shape=(3, 7, 6), **parts)


BIG = (1 << 63) - 1
slices("range", lambda x: x[:, :, 1:4, 2:5], [1, 2], [4, 5], [2, 3])
slices("from the end", lambda x: x[:, :, -3:-1], [-3], [-1], [2])
slices("beyond", lambda x: x[:, :, 2:], [2], [BIG], [-2])
slices("step", lambda x: x[:, :, 1::3, ::2], [1, 0], [BIG, BIG], [2, 3],
       [3, 2])
slices("reversed", lambda x: x.flip(3), [-1], [-BIG - 1], [3], [-1])
slices("reversed by two", lambda x: x.flip(3)[..., ::2], [-1], [-BIG], [3],
       [-2])
slices("part reversed", lambda x: x[:, :, [5, 4, 3, 2]], [5], [1], [2], [-1])
slices("part reversed by two", lambda x: x[:, :, [5, 3]], [-2], [1], [2], [-2])
slices("without axes", lambda x: x[:, 1:3], [0, 1], [BIG, 3])
slices("steps without axes", lambda x: x[:, ::2], [0, 0], [BIG, 3], None,
       [1, 2])
case("Slice attributes", 9, one("Slice", starts=[1, -2], ends=[3, BIG],
                                axes=[1, 3]), lambda x: x[:, 1:3, :, -2:])
case("Split sizes 11", 11,
     [node("Split", "in", ["a", "b"], axis=2, split=[2, 3]),
      node("Concat", "b a", axis=2)],
     lambda x: torch.cat([x[:, :, 2:], x[:, :, :2]], 2))
case("Split sizes 13", 13,
     [node("Split", "in s", ["a", "b"], axis=-2),
      node("Concat", "b a", axis=2)],
     lambda x, s: torch.cat([x[:, :, 2:], x[:, :, :2]], 2), s=ints(2, 3))
case("Split equal parts", 13,
     [node("Split", "in", ["a", "b"], axis=3), node("Mul", "a b")],
     lambda x: x[..., :2] * x[..., 2:])
case("Split num_outputs", 18,
     [node("Split", "in", ["a", "b"], axis=2, num_outputs=2),
      node("Concat", "b a", axis=2)],
     lambda x: torch.cat([x[:, :, 3:], x[:, :, :3]], 2))
case("Gather", 13, [node("Gather", "in i", axis=2)],
     lambda x, i: x[:, :, [-1, 0, 3, 0]], i=ints(-1, 0, 3, 0))
case("Gather one", 13, [node("Gather", "in i", axis=-1)],
     lambda x, i: x[..., -2], i=torch.tensor(-2))
case("Gather matrix", 11, [node("Gather", "in i", axis=1)],
     lambda x, i: x[:, [2, 0, -3, 1]].reshape(N, 2, 2, 5, 4),
     i=ints(2, 0, -3, 1).reshape(2, 2))
case("Transpose", 9, one("Transpose", perm=[0, 2, 3, 1]),
     lambda x: x.permute(0, 2, 3, 1))
case("Reshape", 13, [node("Reshape", "in s"), ],
     lambda x, s: x.reshape(N, 6, -1), s=ints(0, 6, -1))
case("Squeeze 11", 11,
     [node("GlobalMaxPool", "in", "p"), node("Squeeze", "p", axes=[2, 3])],
     lambda x: x.amax((2, 3)), draw=spaced)
case("Squeeze 13", 13,
     [node("GlobalMaxPool", "in", "p"), node("Squeeze", "p a")],
     lambda x, a: x.amax((2, 3)), draw=spaced, a=ints(-1, 2))
case("Unsqueeze 11", 11, one("Unsqueeze", axes=[1, 5]),
     lambda x: x[:, None, ..., None])
case("Unsqueeze 13", 13, [node("Unsqueeze", "in a")],
     lambda x, a: x[:, None, ..., None], a=ints(-1, 1))
case("Expand", 13, [node("GlobalAveragePool", "in", "p"),
                    node("Expand", "p s")],
     lambda x, s: x.mean((2, 3), True).expand(-1, -1, 2, 3),
     s=ints(1, 1, 2, 3))
case("Flatten 2", 13, [node("Flatten", "in", "f", axis=2),
                       node("Reshape", "f s")],
     lambda x, s: x.reshape(N, 60), s=ints(-1, 60))

# ------------------------------------------------------------------- resize


def place(coordinates, i, scale, size, length):
    """ONNX: the point of the source of pixel i of `length`."""
    if coordinates == "half_pixel":
        return (i + 0.5) / scale - 0.5
    if coordinates == "half_pixel_symmetric":
        adjusted = length / (scale * size)
        return size / 2 * (1 - adjusted) + (i + 0.5) / scale - 0.5
    if coordinates == "pytorch_half_pixel":
        return (i + 0.5) / scale - 0.5 if length > 1 else 0.0
    if coordinates == "tf_half_pixel_for_nn":
        return (i + 0.5) / scale
    if coordinates == "align_corners":
        return i * (size - 1) / (length - 1) if length > 1 else 0.0
    return i / scale


ROUND = {"floor": math.floor, "ceil": math.ceil,
         "round_prefer_floor": lambda x: math.ceil(x - 0.5),
         "round_prefer_ceil": lambda x: math.floor(x + 0.5)}


def taps(mode, coordinates, nearest, scale, size, length):
    m = torch.zeros(length, size).double()
    for i in range(length):
        x = place(coordinates, i, scale, size, length)
        if mode == "nearest":
            m[i, min(max(ROUND[nearest](x), 0), size - 1)] += 1
            continue
        low = math.floor(x)
        for k, part in ((low, 1 - (x - low)), (low + 1, x - low)):
            m[i, min(max(k, 0), size - 1)] += part
    return m


def resize(name, opset, scales, lengths, coordinates, sized=False,
           mode="linear", nearest="round_prefer_floor", **a):
    if sized:
        scales = [lengths[0] / 5, lengths[1] / 4]
    rows = taps(mode, coordinates, nearest, scales[0], 5, lengths[0])
    columns = taps(mode, coordinates, nearest, scales[1], 4, lengths[1])
    own = dict(mode=mode, **a)
    if opset >= 11:
        own["coordinate_transformation_mode"] = coordinates
        own["nearest_mode"] = nearest
    said = {"s": ints(1, 3, *lengths)} if sized else {"s": floats(1, 1,
                                                                  *scales)}
    names = "in s" if opset < 11 else "in - - s" if sized else "in - s"
    case(name, opset, [node("Upsample" if opset < 10 else "Resize", names,
                            **own)],
         lambda x, s: rows @ x @ columns.T, **said)


COORDINATES = ("half_pixel", "pytorch_half_pixel", "align_corners",
               "asymmetric")
for c in COORDINATES:
    resize(f"Resize linear {c}", 11, [2.0, 1.5], [10, 6], c)
    resize(f"Resize linear {c} sizes", 13, None, [7, 9], c, True)
    resize(f"Resize linear {c} odd scale", 13, [1.5, 1.25], [7, 5], c)
    resize(f"Resize linear {c} smaller", 13, [0.5, 0.75], [2, 3], c)
    resize(f"Resize linear {c} to one", 13, None, [1, 3], c, True)
    for r in ROUND:
        resize(f"Resize nearest {c} {r}", 13, [2.0, 1.75], [10, 7], c,
               mode="nearest", nearest=r)
resize("Resize linear half_pixel_symmetric", 19, [1.5, 0.8], [7, 3],
       "half_pixel_symmetric")
resize("Resize nearest tf_half_pixel_for_nn", 11, [1.5, 2.0], [7, 8],
       "tf_half_pixel_for_nn", mode="nearest", nearest="floor")
resize("Resize 10 nearest", 10, [1.5, 2.0], [7, 8], "asymmetric",
       mode="nearest", nearest="floor")
resize("Resize 10 linear", 10, [1.5, 2.0], [7, 8], "asymmetric")
resize("Upsample 9 nearest", 9, [2.0, 3.0], [10, 12], "asymmetric",
       mode="nearest", nearest="floor")
resize("Upsample 9 linear", 9, [2.0, 1.5], [10, 6], "asymmetric")
case("Resize axes", 18,
     [node("Resize", "in - - s", mode="linear", axes=[3, 2],
           coordinate_transformation_mode="align_corners")],
     lambda x, s: F.interpolate(x, (8, 6), mode="bilinear",
                                align_corners=True), s=ints(6, 8))
case("Resize as PyTorch", 14,
     [node("Resize", "in - s", mode="linear",
           coordinate_transformation_mode="pytorch_half_pixel")],
     lambda x, s: F.interpolate(x, scale_factor=(2, 1.5), mode="bilinear"),
     s=floats(1, 1, 2, 1.5))

resize("Resize rounds products", 13, [1.4, 0.7], [7, 2], "half_pixel")
resize("Resize nearest rounds products", 13, [1.4, 1.0], [7, 4], "asymmetric",
       mode="nearest", nearest="floor")
case("Gather many", 13, [node("Flatten", "in", "f"),
                         node("Gather", "f i", axis=1)],
     lambda x, i: x.flatten(1)[:, i], i=ints(*[k * 7 % 60 for k in range(50)]))
case("ScatterND", 14,
     [node("ScatterND", "c i u", "m"), node("Add", "in m")],
     lambda x, c, i, u: x + torch.cat([u[:2], c[2:4], u[2:], c[5:]]),
     shape=(6, 2, 3), c=rand(6, 2, 3), i=ints(0, 1, -2).reshape(3, 1),
     u=rand(3, 2, 3))

# ---------------------------------------------------------- constants, types

case("shape chain", 13,
     [node("Shape", "in", "sh"), node("Gather", "sh zero", "n", axis=0),
      node("Unsqueeze", "n ax", "n1"), node("Concat", "n1 six rest", "t",
                                            axis=0),
      node("Reshape", "in t")],
     lambda x, **c: x.reshape(N, 6, -1), zero=torch.tensor(0), ax=ints(0),
     six=ints(6), rest=ints(-1))
case("shape chain of height and width", 15,
     [node("Shape", "in", "hw", start=2, end=4), node("Mul", "hw two", "d"),
      node("Shape", "in", "nc", end=2), node("Concat", "nc d", "t", axis=0),
      node("Resize", "in - - t", mode="nearest",
           coordinate_transformation_mode="asymmetric",
           nearest_mode="floor")],
     lambda x, **c: F.interpolate(x, scale_factor=2), two=ints(2, 2))
case("Where and ConstantOfShape", 12,
     [node("ConstantOfShape", "n", "ones", value=ints(1)),
      node("Mul", "ones neg", "open"), node("Equal", "s open", "same"),
      node("Where", "same ones s", "t"), node("Expand", "in t")],
     lambda x, **c: 1 * x, n=ints(4), neg=torch.tensor(-1),
     s=ints(-1, -1, 5, 4))
case("Range and Cast", 11,
     [node("Range", "a b c", "r"), node("Cast", "r", "f", to=1),
      node("Add", "in f")],
     lambda x, **c: x + torch.arange(1, 5), a=torch.tensor(1),
     b=torch.tensor(5), c=torch.tensor(1))
case("Constant node", 9, [node("Constant", [], "c", value=rand(1).fill_(0.5)),
                          node("Mul", "in c")], lambda x: 0.5 * x)
case("Constant node of floats", 12,
     [node("Constant", [], "c", value_floats=[1.0, 2.0, 3.0, 4.0]),
      node("Mul", "in c")],
     lambda x: x * torch.arange(1, 5))
case("Constant node of a float", 13,
     [node("Constant", [], "c", value_float=0.25), node("Add", "in c")],
     lambda x: x + 0.25)
case("Constant node of ints", 13,
     [node("Constant", [], "c", value_ints=[0, 6, 10]),
      node("Reshape", "in c")], lambda x: 1 * x)
case("ints in a list", 13, [node("Reshape", "in c")], lambda x, c: 1 * x,
     c=(ints(0, -1, 6), "list"))
for how in ("raw", "list", "half", "halves", "bf16", "double"):
    case(f"weights {how}", 13,
         [node("Conv", "in w", pads=[1, 1, 1, 1])],
         lambda x, w: F.conv2d(x, w, padding=1), w=(rand(2, 3, 3, 3), how))


# ----------------------------------------------------------------- the file


def write(path):
    header, parts, at = {}, [], 0

    def add(name, kind, shape, data):
        nonlocal at
        header[name] = {"dtype": kind, "shape": list(shape),
                        "data_offsets": [at, at + len(data)]}
        parts.append(data)
        at += len(data)
    for name, (models, *tensors) in sorted(cases.items()):
        for suffix, m in zip(("open", "one"), models):
            add(f"{name}.{suffix}", "U8", [len(m)], m)
        for suffix, t in zip("xyg", tensors):
            t = t.float().contiguous()
            add(f"{name}.{suffix}", "F32", t.shape,
                struct.pack("<%df" % t.numel(), *t.reshape(-1).tolist()))
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as f:
        f.write(struct.pack("<Q", len(text)) + text + b"".join(parts))
    print(f"{len(cases)} cases, {at + len(text)} bytes")


write(sys.argv[1])
