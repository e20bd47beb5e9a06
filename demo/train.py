#!/usr/bin/env python3
"""Trains the demo's digit classifier and writes it as digits.onnx. Run once; the result is committed.

    python3 -m venv .venv && .venv/bin/pip install numpy onnx
    .venv/bin/python demo/train.py FOLDER_WITH_MNIST_IDX_FILES

NumPy is all it needs (about eight minutes on one free core): the net is small, and a training loop that
fits on a page can be read to the end. `onnx` only writes the file.

    image [batch,1,28,28] -> conv 5x5x16 -> relu -> max pool 2
                          -> conv 3x3x32 -> relu -> max pool 2
                          -> conv 3x3x64 -> relu -> dense 10 -> softmax -> probabilities [batch,10]

The last HELD_OUT digits of the file are never trained on: the accuracy on them is the honest one.
"""

import argparse
import math
import pathlib
import time

import numpy as np

from arrays import read_mnist

HELD_OUT = 1000
BATCH = 64


# ---- Layers. Activations are NHWC, so that a convolution is one matrix product of its windows. ----


class Conv:
    def __init__(self, rng, size, channels_in, channels_out, padding):
        self.size, self.padding = size, padding
        fan_in = size * size * channels_in
        # He initialisation keeps the variance through relu. No bias: the norm that follows has one.
        self.weight = rng.normal(0, np.sqrt(2 / fan_in), (fan_in, channels_out)).astype(np.float32)
        self.parameters = [self.weight]

    def forward(self, x, training):
        p, k = self.padding, self.size
        x = np.pad(x, ((0, 0), (p, p), (p, p), (0, 0)))
        self.padded_shape = x.shape
        n, h, w = len(x), x.shape[1] - k + 1, x.shape[2] - k + 1
        windows = [x[:, i : i + h, j : j + w] for i in range(k) for j in range(k)]
        self.columns = np.concatenate(windows, axis=3).reshape(n * h * w, -1)
        return (self.columns @ self.weight).reshape(n, h, w, -1)

    def backward(self, grad):
        n, h, w, channels = grad.shape
        flat = grad.reshape(-1, channels)
        self.gradients = [self.columns.T @ flat]
        k, p = self.size, self.padding
        columns = (flat @ self.weight.T).reshape(n, h, w, k, k, -1)
        out = np.zeros(self.padded_shape, np.float32)
        for i in range(k):
            for j in range(k):
                out[:, i : i + h, j : j + w] += columns[:, :, :, i, j]
        return out[:, p : out.shape[1] - p, p : out.shape[2] - p]


class BatchNorm:
    """Brings every channel to mean 0 and variance 1, then to a learned scale and bias.

    It makes the training quick and steady. Afterwards it is a fixed scale and bias per channel, which
    the convolution before it can take over: the written file has no trace of it.
    """

    def __init__(self, channels):
        self.scale, self.bias = np.ones(channels, np.float32), np.zeros(channels, np.float32)
        self.mean, self.variance = np.zeros(channels, np.float32), np.ones(channels, np.float32)
        self.parameters = [self.scale, self.bias]

    def folded(self):
        """The scale and bias that it amounts to after training."""
        scale = self.scale / np.sqrt(self.variance + 1e-5)
        return scale, self.bias - self.mean * scale

    def forward(self, x, training):
        if not training:
            scale, bias = self.folded()
            return x * scale + bias
        mean = x.mean((0, 1, 2))
        centred = x - mean
        variance = np.square(centred).mean((0, 1, 2))
        self.mean += 0.01 * (mean - self.mean)
        self.variance += 0.01 * (variance - self.variance)
        self.deviation = np.sqrt(variance + 1e-5)
        self.normal = centred / self.deviation
        return self.normal * self.scale + self.bias

    def backward(self, grad):
        along = (grad * self.normal).sum((0, 1, 2))
        self.gradients = [along, grad.sum((0, 1, 2))]
        # What a change of one value does to the mean and the variance of all is taken off again.
        count = grad.size // grad.shape[-1]
        rest = grad - self.gradients[1] / count - self.normal * (along / count)
        return rest * (self.scale / self.deviation)


class Dense:
    def __init__(self, rng, features_in, features_out):
        self.weight = rng.normal(0, np.sqrt(1 / features_in), (features_in, features_out)).astype(np.float32)
        self.bias = np.zeros(features_out, np.float32)
        self.parameters = [self.weight, self.bias]

    def forward(self, x, training):
        self.shape, self.x = x.shape, x.reshape(len(x), -1)
        return self.x @ self.weight + self.bias

    def backward(self, grad):
        self.gradients = [self.x.T @ grad, grad.sum(0)]
        return (grad @ self.weight.T).reshape(self.shape)


class Relu:
    def forward(self, x, training):
        self.mask = x > 0
        return x * self.mask

    def backward(self, grad):
        return grad * self.mask


class MaxPool2:
    CORNERS = [(0, 0), (0, 1), (1, 0), (1, 1)]

    def forward(self, x, training):
        self.x = x
        a, b, c, d = (x[:, i::2, j::2] for i, j in self.CORNERS)
        self.highest = np.maximum(np.maximum(a, b), np.maximum(c, d))
        return self.highest

    def backward(self, grad):
        out = np.empty_like(self.x)
        for i, j in self.CORNERS:
            # Equal maxima all get the gradient; after relu these are the zeros, where it dies anyway.
            out[:, i::2, j::2] = grad * (self.x[:, i::2, j::2] == self.highest)
        return out


class Dropout:
    """Zeroes a part of the features while training, so that no few of them decide alone."""

    def __init__(self, rng, rate):
        self.rng, self.rate = rng, rate

    def forward(self, x, training):
        if not training:
            return x
        keep = self.rng.random(x.shape, dtype=np.float32) >= self.rate
        self.mask = keep.astype(np.float32) / (1 - self.rate)
        return x * self.mask

    def backward(self, grad):
        return grad * self.mask


def build(rng):
    return [
        Conv(rng, 5, 1, 16, padding=2), BatchNorm(16), Relu(), MaxPool2(),
        Conv(rng, 3, 16, 32, padding=1), BatchNorm(32), Relu(), MaxPool2(),
        Conv(rng, 3, 32, 64, padding=0), BatchNorm(64), Relu(), Dropout(rng, 0.4),
        Dense(rng, 5 * 5 * 64, 10),
    ]  # fmt: skip


def run(layers, x, training=False):
    for layer in layers:
        x = layer.forward(x, training)
    return x


def softmax(x):
    e = np.exp(x - x.max(1, keepdims=True))
    return e / e.sum(1, keepdims=True)


# ---- Augmentation: every epoch sees every digit written a little differently. ----


def augment(rng, images):
    """Rotates, scales, slants, shifts, bends and thickens or thins each image at random."""
    n, size, _ = images.shape
    centre = (size - 1) / 2

    def uniform(low, high):
        return rng.uniform(low, high, (n, 1, 1)).astype(np.float32)

    # Where each output pixel comes from: an affine map about the centre …
    y, x = np.mgrid[:size, :size].astype(np.float32) - centre
    angle, slant = uniform(-0.2, 0.2), uniform(-0.3, 0.3)
    zoom_y, zoom_x = uniform(0.87, 1.17), uniform(0.87, 1.17)
    x_slanted = x + slant * y
    from_y = (np.cos(angle) * y + np.sin(angle) * x_slanted) * zoom_y + uniform(-2, 2) + centre
    from_x = (np.cos(angle) * x_slanted - np.sin(angle) * y) * zoom_x + uniform(-2, 2) + centre
    # … and a smooth bend: random displacements on a 5x5 grid, interpolated linearly.
    position = np.linspace(0, 4, size)
    spread = np.maximum(0, 1 - np.abs(position[:, None] - np.arange(5))).astype(np.float32)
    from_y += spread @ rng.normal(0, 0.7, (n, 5, 5)).astype(np.float32) @ spread.T
    from_x += spread @ rng.normal(0, 0.7, (n, 5, 5)).astype(np.float32) @ spread.T

    # Bilinear sampling; two columns and rows of black around the image serve everything outside.
    bordered = np.pad(images, ((0, 0), (2, 2), (2, 2)))
    from_y, from_x = np.clip(from_y + 2, 0, size + 2), np.clip(from_x + 2, 0, size + 2)
    top, left = from_y.astype(np.intp), from_x.astype(np.intp)
    down, right = from_y - top, from_x - left
    which = np.arange(n)[:, None, None]
    upper = bordered[which, top, left] * (1 - right) + bordered[which, top, left + 1] * right
    lower = bordered[which, top + 1, left] * (1 - right) + bordered[which, top + 1, left + 1] * right
    out = (upper * (1 - down) + lower * down).astype(np.float32)

    # The pen: towards the brightest (or darkest) of the neighbours by up to 0.8 (or 0.4).
    around = np.pad(out, ((0, 0), (1, 1), (1, 1)))
    cross = [around[:, i : i + size, j : j + size] for i, j in ((1, 1), (0, 1), (2, 1), (1, 0), (1, 2))]
    pen = uniform(-0.4, 0.8)
    thicker, thinner = np.max(cross, 0) - out, out - np.min(cross, 0)
    return out + np.maximum(pen, 0) * thicker - np.maximum(-pen, 0) * thinner


# ---- Training: Adam with decoupled weight decay, a short warm-up and a cosine decay. ----


def predict(layers, images):
    batches = [images[i : i + 250, :, :, None] for i in range(0, len(images), 250)]
    scores = np.concatenate([run(layers, batch) for batch in batches])
    return scores.argmax(1)


def train(rng, layers, images, labels, held_out, epochs, peak_rate):
    trained = [layer for layer in layers if hasattr(layer, "parameters")]
    parameters = [p for layer in trained for p in layer.parameters]
    means = [np.zeros_like(p) for p in parameters]
    squares = [np.zeros_like(p) for p in parameters]
    steps, step = epochs * (len(images) // BATCH), 0
    for epoch in range(epochs):
        started, total_loss = time.monotonic(), 0.0
        order = rng.permutation(len(images))
        for i in range(len(images) // BATCH):
            chosen = order[i * BATCH : (i + 1) * BATCH]
            probabilities = softmax(run(layers, augment(rng, images[chosen])[:, :, :, None], True))
            total_loss -= np.log(probabilities[np.arange(BATCH), labels[chosen]] + 1e-9).mean()
            # The gradient of cross-entropy through softmax is simply the difference.
            grad = (probabilities - np.eye(10, dtype=np.float32)[labels[chosen]]) / BATCH
            for layer in reversed(layers):
                grad = layer.backward(grad)
            step += 1
            rate = peak_rate * min(step / 200, 0.5 + 0.5 * math.cos(math.pi * step / steps))
            gradients = [g for layer in trained for g in layer.gradients]
            for p, g, mean, square in zip(parameters, gradients, means, squares):
                mean += 0.1 * (g - mean)
                square += 0.001 * (g * g - square)
                p -= rate * (mean / (1 - 0.9**step)) / (np.sqrt(square / (1 - 0.999**step)) + 1e-8)
                if p.ndim > 1:
                    p -= rate * 0.02 * p
        accuracy = (predict(layers, held_out[0]) == held_out[1]).mean()
        print(f"epoch {epoch + 1:3}/{epochs}: loss {total_loss / (len(images) // BATCH):.4f}, "
              f"held out {accuracy:.2%}, {time.monotonic() - started:.1f} s", flush=True)  # fmt: skip


# ---- The file ----


def write_onnx(layers, path):
    """Writes the net with ONNX's NCHW order, opset 13."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    convs = [pair for pair in zip(layers, layers[1:]) if isinstance(pair[0], Conv)]
    dense = layers[-1]
    nodes, weights, current = [], [], "image"

    def weight(name, value):
        weights.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def node(kind, inputs, output, **attributes):
        nonlocal current
        nodes.append(helper.make_node(kind, [current, *inputs], [output], name=output, **attributes))
        current = output

    for i, (conv, norm) in enumerate(convs, 1):
        k, p = conv.size, conv.padding
        scale, bias = norm.folded()
        kernel = (conv.weight * scale).reshape(k, k, -1, len(bias)).transpose(3, 2, 0, 1)
        inputs = [weight(f"conv{i}.weight", kernel), weight(f"conv{i}.bias", bias)]
        node("Conv", inputs, f"conv{i}", kernel_shape=[k, k], pads=[p, p, p, p])
        node("Relu", [], f"relu{i}")
        if i < len(convs):
            node("MaxPool", [], f"pool{i}", kernel_shape=[2, 2], strides=[2, 2])
    node("Flatten", [], "features", axis=1)
    channels = len(bias)
    side = math.isqrt(len(dense.weight) // channels)
    matrix = dense.weight.reshape(side, side, channels, 10).transpose(2, 0, 1, 3).reshape(-1, 10)
    node("Gemm", [weight("dense.weight", matrix), weight("dense.bias", dense.bias)], "scores")
    node("Softmax", [], "probabilities", axis=1)

    graph = helper.make_graph(
        nodes,
        "digits",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["batch", 1, 28, 28])],
        [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["batch", 10])],
        weights,
    )
    model = helper.make_model(
        graph, ir_version=8, opset_imports=[helper.make_opsetid("", 13)], producer_name="tiny demo/train.py"
    )
    model.doc_string = "Handwritten digits: white on black, 28x28, values 0 to 1, in; ten probabilities out."
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, path)


def main():
    here = pathlib.Path(__file__).parent
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("mnist", type=pathlib.Path, help="folder with the gzipped IDX files")
    parser.add_argument("--output", type=pathlib.Path, default=here / "digits.onnx")
    parser.add_argument("--epochs", type=int, default=70)
    parser.add_argument("--rate", type=float, default=2e-3, help="peak learning rate")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()

    raw_images, raw_labels = read_mnist(options.mnist)
    images = np.frombuffer(raw_images, np.uint8).reshape(-1, 28, 28).astype(np.float32) / 255
    labels = np.frombuffer(raw_labels, np.uint8).astype(np.intp)
    rng = np.random.default_rng(options.seed)
    layers = build(rng)
    held_out = images[-HELD_OUT:], labels[-HELD_OUT:]
    train(rng, layers, images[:-HELD_OUT], labels[:-HELD_OUT], held_out, options.epochs, options.rate)
    print(f"held out: {(predict(layers, held_out[0]) == held_out[1]).mean():.2%} of {HELD_OUT}")
    print(f"whole file: {(predict(layers, images) == labels).mean():.2%} of {len(images)}")
    write_onnx(layers, options.output)
    print(f"wrote {options.output} ({options.output.stat().st_size} bytes)")


if __name__ == "__main__":
    main()
