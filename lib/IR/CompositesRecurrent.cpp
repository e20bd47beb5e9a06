//===- CompositesRecurrent.cpp - RNN, GRU and LSTM ------------------------===//
//
// Unrolled over time, which is static as every size. What depends on the input only is one matrix
// product for all steps, ahead of them, so a step is left with the product of its state and with
// elementwise work.
//
//===----------------------------------------------------------------------===//

#include "Tiny/IR/Composites.h"

using namespace mlir;
using namespace mlir::tiny;

/// Every step is some 30 ops.
static constexpr int64_t kMostSteps = 1024;

namespace {
/// The operands of one direction, checked, in the type that is computed in.
struct Layer {
  Value x, weights, recurrence, inputBias, stateBias;
  int64_t steps, batch, hidden;
  Type type; // of the results

  bool check(Composer &c, int64_t gates, Value bias);
  /// A tensor of the computation's type; zeros of [batch, hidden] if it is left out. Null after a
  /// report if it has another shape.
  Value state(Composer &c, Value given, StringRef what);
  /// x · Wᵀ + bias for all steps: [steps, batch, gates * hidden].
  Value project(Composer &c) {
    Value product = c.matmul(x, c.transpose(weights));
    return inputBias ? c.add(product, inputBias) : product;
  }
  /// h · Rᵀ + bias, of some of the gates.
  Value recur(Composer &c, Value h, int64_t firstGate, int64_t count) {
    int64_t from = firstGate * hidden, to = (firstGate + count) * hidden;
    Value product = c.matmul(h, c.transpose(c.slice(recurrence, 0, from, to)));
    return stateBias ? c.add(product, c.slice(stateBias, 0, from, to)) : product;
  }
  /// The part of one gate of [batch, gates * hidden].
  Value gate(Composer &c, Value all, int64_t index) {
    return c.slice(all, 1, index * hidden, (index + 1) * hidden);
  }
};
} // namespace

bool Layer::check(Composer &c, int64_t gates, Value bias) {
  if (!x || !weights || !recurrence)
    return false;
  if (!isa<FloatType>(c.elementOf(x)) || c.elementOf(weights) != c.elementOf(x) ||
      c.elementOf(recurrence) != c.elementOf(x) || (bias && c.elementOf(bias) != c.elementOf(x))) {
    c.fail("a recurrent layer takes tensors of one float type");
    return false;
  }
  if (c.rankOf(x) != 3 || c.rankOf(recurrence) != 2) {
    c.fail("a recurrent layer takes x [time, batch, input] and recurrent weights of rank 2");
    return false;
  }
  steps = c.shapeOf(x)[0], batch = c.shapeOf(x)[1], hidden = c.shapeOf(recurrence)[1];
  if (steps < 1 || steps > kMostSteps) {
    c.fail("a recurrent layer is unrolled over 1 to " + Twine(kMostSteps) + " steps, not " +
           Twine(steps) + "; cut the sequence and carry the state");
    return false;
  }
  SmallVector<int64_t> wanted = {gates * hidden, c.shapeOf(x)[2]};
  SmallVector<int64_t> wantedState = {gates * hidden, hidden};
  if (c.shapeOf(weights) != ArrayRef(wanted) || c.shapeOf(recurrence) != ArrayRef(wantedState) ||
      (bias && c.shapeOf(bias) != ArrayRef<int64_t>(2 * gates * hidden))) {
    c.fail("with " + Twine(hidden) + " hidden units, " + Twine(gates) + " gates and " +
           Twine(wanted[1]) + " inputs, the weights are [" + Twine(wanted[0]) + ", " +
           Twine(wanted[1]) + "], the recurrent ones [" + Twine(wanted[0]) + ", " + Twine(hidden) +
           "] and the bias [" + Twine(2 * wanted[0]) + "]");
    return false;
  }
  type = c.elementOf(x);
  Type compute = c.accumulatorOf(type);
  x = c.cast(x, compute), weights = c.cast(weights, compute);
  recurrence = c.cast(recurrence, compute);
  if (bias) {
    inputBias = c.slice(c.cast(bias, compute), 0, 0, gates * hidden);
    stateBias = c.slice(c.cast(bias, compute), 0, gates * hidden, 2 * gates * hidden);
  }
  return true;
}

Value Layer::state(Composer &c, Value given, StringRef what) {
  SmallVector<int64_t> shape = {batch, hidden};
  if (!given)
    return c.splat(0.0, RankedTensorType::get(shape, c.elementOf(x)));
  if (c.shapeOf(given) == ArrayRef(shape) && c.elementOf(given) == type)
    return c.cast(given, c.elementOf(x));
  return c.fail("the " + what + " of a recurrent layer is [" + Twine(batch) + ", " + Twine(hidden) +
                "] of the input's type here");
}

/// The activation that is given, else `otherwise`.
static Value activate(Composer &c, const RecurrentForm::Activation &given, Value x,
                      Value (Composer::*otherwise)(Value)) {
  return given ? given(c, x) : (c.*otherwise)(x);
}

/// Steps over time. `step` gives the next states for the projected input of a step.
static RecurrentResult unroll(Composer &c, Layer &layer, const RecurrentForm &form,
                              SmallVector<Value> states,
                              llvm::function_ref<SmallVector<Value>(Value, ArrayRef<Value>)> step) {
  if (llvm::is_contained(states, Value()))
    return {};
  Value lengths = form.lengths;
  if (lengths) {
    if (c.shapeOf(lengths) != ArrayRef<int64_t>(layer.batch) ||
        !isa<IntegerType>(c.elementOf(lengths)))
      return {
          c.fail("the lengths of a recurrent layer are [" + Twine(layer.batch) + "] integers here"),
          {},
          {}};
    lengths = c.reshape(lengths, {layer.batch, 1});
  }
  Value projected = layer.project(c);
  int64_t width = projected ? c.shapeOf(projected)[2] : 0;
  SmallVector<Value> outputs(layer.steps);
  for (int64_t i = 0; i < layer.steps; ++i) {
    int64_t t = form.reverse ? layer.steps - 1 - i : i;
    Value x = c.reshape(c.slice(projected, 0, t, t + 1), {layer.batch, width});
    SmallVector<Value> next = step(x, states);
    Value output = next[0];
    if (lengths) {
      // Behind the end of a sequence nothing changes. A reversed one thus starts at its end.
      Value isLive = c.gt(lengths, t);
      for (auto [value, old] : llvm::zip_equal(next, states))
        value = c.where(isLive, value, old);
      output = c.where(isLive, output, 0);
    }
    states = next;
    outputs[t] = c.reshape(output, {1, layer.batch, layer.hidden});
    if (!outputs[t])
      return {};
  }
  auto finish = [&](Value value) { return c.cast(value, layer.type); };
  return {finish(c.concat(outputs, 0)), finish(states[0]),
          states.size() > 1 ? finish(states[1]) : Value()};
}

RecurrentResult Composer::rnn(Value x, Value weights, Value recurrence, Value bias, Value state,
                              const RecurrentForm &form) {
  Layer layer{x, weights, recurrence, {}, {}, 0, 0, 0, {}};
  if (!layer.check(*this, 1, bias))
    return {};
  return unroll(*this, layer, form, {layer.state(*this, state, "state")},
                [&](Value x, ArrayRef<Value> states) -> SmallVector<Value> {
                  Value sum = add(x, layer.recur(*this, states[0], 0, 1));
                  return {activate(*this, form.gate, sum, &Composer::tanh)};
                });
}

RecurrentResult Composer::gru(Value x, Value weights, Value recurrence, Value bias, Value state,
                              const RecurrentForm &form) {
  Layer layer{x, weights, recurrence, {}, {}, 0, 0, 0, {}};
  if (!layer.check(*this, 3, bias))
    return {};
  return unroll(*this, layer, form, {layer.state(*this, state, "state")},
                [&](Value x, ArrayRef<Value> states) -> SmallVector<Value> {
                  Value h = states[0];
                  // One product for all gates, unless the candidate wants the reset state.
                  Value sums = layer.recur(*this, h, 0, form.resetAfter ? 3 : 2);
                  auto sum = [&](int64_t index) {
                    return add(layer.gate(*this, x, index), layer.gate(*this, sums, index));
                  };
                  Value update = activate(*this, form.gate, sum(0), &Composer::sigmoid);
                  Value reset = activate(*this, form.gate, sum(1), &Composer::sigmoid);
                  Value part = form.resetAfter ? mul(reset, layer.gate(*this, sums, 2))
                                               : layer.recur(*this, mul(reset, h), 2, 1);
                  Value candidate = activate(*this, form.candidate,
                                             add(layer.gate(*this, x, 2), part), &Composer::tanh);
                  return {add(mul(sub(1, update), candidate), mul(update, h))};
                });
}

RecurrentResult Composer::lstm(Value x, Value weights, Value recurrence, Value bias, Value state,
                               Value cell, Value peepholes, const RecurrentForm &form) {
  Layer layer{x, weights, recurrence, {}, {}, 0, 0, 0, {}};
  if (!layer.check(*this, 4, bias))
    return {};
  if (peepholes) {
    if (shapeOf(peepholes) != ArrayRef<int64_t>(3 * layer.hidden) ||
        elementOf(peepholes) != layer.type)
      return {fail("the peepholes are [" + Twine(3 * layer.hidden) + "] of the input's type here"),
              {},
              {}};
    peepholes = cast(peepholes, elementOf(layer.x));
  }
  SmallVector<Value> states = {layer.state(*this, state, "state"),
                               layer.state(*this, cell, "cell")};
  return unroll(*this, layer, form, states,
                [&](Value x, ArrayRef<Value> states) -> SmallVector<Value> {
                  Value c = states[1], sums = add(x, layer.recur(*this, states[0], 0, 4));
                  auto gate = [&](int64_t index, Value cell) {
                    Value sum = layer.gate(*this, sums, index);
                    if (peepholes)
                      sum = add(sum, mul(cell, slice(peepholes, 0, index * layer.hidden,
                                                     (index + 1) * layer.hidden)));
                    return activate(*this, form.gate, sum, &Composer::sigmoid);
                  };
                  Value input = gate(0, c), forget = gate(2, c);
                  Value candidate =
                      activate(*this, form.candidate, layer.gate(*this, sums, 3), &Composer::tanh);
                  Value next = add(mul(forget, c), mul(input, candidate));
                  Value output = gate(1, next);
                  return {mul(output, activate(*this, form.output, next, &Composer::tanh)), next};
                });
}
