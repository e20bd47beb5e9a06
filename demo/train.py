#!/usr/bin/env python3
"""Trains the demo's digit classifier and writes it as digits.onnx. Run once; the result is committed.

    python3 -m venv .venv && .venv/bin/pip install numpy onnx
    .venv/bin/python demo/train.py FOLDER_WITH_MNIST_IDX_FILES

NumPy is all it needs (about ten minutes on two cores): the net is small, and a training loop that
fits on a page can be read to the end. `onnx` only writes the file.

    image [batch,1,28,28] -> conv 5x5x16 -> relu -> max pool 2
                          -> conv 3x3x32 -> relu -> max pool 2
                          -> conv 3x3x64 -> relu -> dense 10 -> softmax -> probabilities [batch,10]

The last HELD_OUT digits of the file are never trained on: the accuracy on them is the honest one.
"""

import argparse
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
        # He initialisation keeps the variance through relu.
        self.weight = rng.normal(0, np.sqrt(2 / fan_in), (fan_in, channels_out)).astype(np.float32)
        self.bias = np.zeros(channels_out, np.float32)

    def forward(self, x):
        p, k = self.padding, self.size
        x = np.pad(x, ((0, 0), (p, p), (p, p), (0, 0)))
        self.padded_shape = x.shape
        windows = np.lib.stride_tricks.sliding_window_view(x, (k, k), axis=(1, 2))
        n, h, w = windows.shape[:3]
        self.columns = windows.transpose(0, 1, 2, 4, 5, 3).reshape(n * h * w, -1)
        return (self.columns @ self.weight + self.bias).reshape(n, h, w, -1)

    def backward(self, grad):
        n, h, w, channels = grad.shape
        flat = grad.reshape(-1, channels)
        self.gradients = [self.columns.T @ flat, flat.sum(0)]
        k, p = self.size, self.padding
        columns = (flat @ self.weight.T).reshape(n, h, w, k, k, -1)
        out = np.zeros(self.padded_shape, np.float32)
        for i in range(k):
            for j in range(k):
                out[:, i : i + h, j : j + w] += columns[:, :, :, i, j]
        return out[:, p : out.shape[1] - p, p : out.shape[2] - p]


class Dense:
    def __init__(self, rng, features_in, features_out):
        self.weight = rng.normal(0, np.sqrt(1 / features_in), (features_in, features_out)).astype(np.float32)
        self.bias = np.zeros(features_out, np.float32)

    def forward(self, x):
        self.shape, self.x = x.shape, x.reshape(len(x), -1)
        return self.x @ self.weight + self.bias

    def backward(self, grad):
        self.gradients = [self.x.T @ grad, grad.sum(0)]
        return (grad @ self.weight.T).reshape(self.shape)


class Relu:
    def forward(self, x):
        self.mask = x > 0
        return x * self.mask

    def backward(self, grad):
        return grad * self.mask


class MaxPool2:
    def forward(self, x):
        n, h, w, c = x.shape
        blocks = x.reshape(n, h // 2, 2, w // 2, 2, c)
        out = blocks.max((2, 4), keepdims=True)
        # Equal maxima share the gradient; after relu they are mostly zeros, where it dies anyway.
        self.mask = blocks == out
        self.mask = self.mask / self.mask.sum((2, 4), keepdims=True, dtype=np.float32)
        return out[:, :, 0, :, 0]

    def backward(self, grad):
        out = self.mask * grad[:, :, None, :, None]
        n, h, _, w, _, c = out.shape
        return out.reshape(n, h * 2, w * 2, c)


class Dropout:
    """Zeroes a part of the features while training, so that no few of them decide alone."""

    def __init__(self, rng, rate):
        self.rng, self.rate, self.training = rng, rate, True

    def forward(self, x):
        if not self.training:
            return x
        keep = self.rng.random(x.shape, dtype=np.float32) >= self.rate
        self.mask = keep.astype(np.float32) / (1 - self.rate)
        return x * self.mask

    def backward(self, grad):
        return grad * self.mask


def build(rng):
    return [
        Conv(rng, 5, 1, 16, padding=2), Relu(), MaxPool2(),
        Conv(rng, 3, 16, 32, padding=1), Relu(), MaxPool2(),
        Conv(rng, 3, 32, 64, padding=0), Relu(), Dropout(rng, 0.4),
        Dense(rng, 5 * 5 * 64, 10),
    ]  # fmt: skip


def run(layers, x):
    for layer in layers:
        x = layer.forward(x)
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
    angle, slant = uniform(-0.26, 0.26), uniform(-0.3, 0.3)
    zoom_y, zoom_x = uniform(0.85, 1.2), uniform(0.85, 1.2)
    x_slanted = x + slant * y
    from_y = (np.cos(angle) * y + np.sin(angle) * x_slanted) * zoom_y + uniform(-2.5, 2.5) + centre
    from_x = (np.cos(angle) * x_slanted - np.sin(angle) * y) * zoom_x + uniform(-2.5, 2.5) + centre
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
    cross = [around[:, 1:-1, 1:-1], around[:, :-2, 1:-1], around[:, 2:, 1:-1], around[:, 1:-1, :-2], around[:, 1:-1, 2:]]
    pen = uniform(-0.4, 0.8)
    return out + np.maximum(pen, 0) * (np.max(cross, 0) - out) - np.maximum(-pen, 0) * (out - np.min(cross, 0))


# ---- Training: Adam with decoupled weight decay, a short warm-up and a cosine decay. ----


def predict(layers, images):
    for layer in layers:
        layer.training = False
    batches = [images[i : i + 250, :, :, None] for i in range(0, len(images), 250)]
    scores = np.concatenate([run(layers, batch) for batch in batches])
    for layer in layers:
        layer.training = True
    return scores.argmax(1)


def train(rng, layers, images, labels, held_out, epochs, peak_rate):
    weighted = [layer for layer in layers if hasattr(layer, "weight")]
    parameters = [p for layer in weighted for p in (layer.weight, layer.bias)]
    means = [np.zeros_like(p) for p in parameters]
    squares = [np.zeros_like(p) for p in parameters]
    steps, step = epochs * (len(images) // BATCH), 0
    for epoch in range(epochs):
        started, total_loss = time.monotonic(), 0.0
        order = rng.permutation(len(images))
        for i in range(len(images) // BATCH):
            chosen = order[i * BATCH : (i + 1) * BATCH]
            probabilities = softmax(run(layers, augment(rng, images[chosen])[:, :, :, None]))
            total_loss -= np.log(probabilities[np.arange(BATCH), labels[chosen]] + 1e-9).mean()
            # The gradient of cross-entropy through softmax is simply the difference.
            grad = (probabilities - np.eye(10, dtype=np.float32)[labels[chosen]]) / BATCH
            for layer in reversed(layers):
                grad = layer.backward(grad)
            step += 1
            rate = peak_rate * min(step / 200, 0.5 + 0.5 * np.cos(np.pi * step / steps))
            gradients = [g for layer in weighted for g in layer.gradients]
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

    convs = [layer for layer in layers if isinstance(layer, Conv)]
    dense = layers[-1]
    nodes, weights, current = [], [], "image"

    def weight(name, value):
        weights.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def node(kind, inputs, output, **attributes):
        nonlocal current
        nodes.append(helper.make_node(kind, [current, *inputs], [output], name=output, **attributes))
        current = output

    for i, conv in enumerate(convs, 1):
        k, p = conv.size, conv.padding
        kernel = conv.weight.reshape(k, k, -1, conv.weight.shape[1]).transpose(3, 2, 0, 1)
        inputs = [weight(f"conv{i}.weight", kernel), weight(f"conv{i}.bias", conv.bias)]
        node("Conv", inputs, f"conv{i}", kernel_shape=[k, k], pads=[p, p, p, p])
        node("Relu", [], f"relu{i}")
        if i < len(convs):
            node("MaxPool", [], f"pool{i}", kernel_shape=[2, 2], strides=[2, 2])
    node("Flatten", [], "features", axis=1)
    channels = convs[-1].weight.shape[1]
    side = int(np.sqrt(dense.weight.shape[0] // channels))
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
    parser.add_argument("--epochs", type=int, default=60)
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
