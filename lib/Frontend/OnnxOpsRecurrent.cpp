//===- OnnxOpsRecurrent.cpp - RNN, GRU, LSTM ------------------------------===//
//
// The three have one shape: directions, optional operands, activations by name.
// A direction is one composite, unrolled over the sequence.
//
//===----------------------------------------------------------------------===//

#include "OnnxNode.h"

using namespace mlir;
using namespace mlir::tiny;

namespace {
enum class Cell { rnn, gru, lstm };
} // namespace

/// The activations that need no numbers; null after an error.
static RecurrentForm::Activation activation(OnnxNode &n, StringRef name) {
  using Unary = Value (Composer::*)(Value);
  Unary unary = llvm::StringSwitch<Unary>(name.lower())
                    .Case("relu", &Composer::relu)
                    .Case("sigmoid", &Composer::sigmoid)
                    .Case("softplus", &Composer::softplus)
                    .Case("softsign", &Composer::softsign)
                    .Case("tanh", &Composer::tanh)
                    .Default(nullptr);
  if (!unary) {
    n.attrFail("activations",
               "has '" + name + "', expected Relu, Sigmoid, Softplus, Softsign or Tanh");
    return {};
  }
  return [unary](Composer &c, Value x) { return (c.*unary)(x); };
}

/// One direction of an operand [directions, …].
static Value ofDirection(OnnxNode &n, Value operand, int64_t direction) {
  if (!operand)
    return {};
  SmallVector<int64_t> shape(n.c.shapeOf(operand).drop_front());
  return n.c.reshape(n.c.slice(operand, 0, direction, direction + 1), shape);
}

/// Reads everything but the activations; the gates per cell say what the sizes are.
static void checkOperands(OnnxNode &n, int64_t directions, int64_t gates, bool batchFirst) {
  if (n.failed())
    return;
  n.expectFloat(0, "X");
  n.expectRank(0, "X", 3);
  n.expectRank(1, "W", 3);
  n.expectRank(2, "R", 3);
  n.expectRank(3, "B", 2);
  n.expectRank(4, "sequence_lens", 1);
  n.expectRank(5, "initial_h", 3);
  n.expectRank(6, "initial_c", 3);
  n.expectRank(7, "P", 2);
  if (n.failed())
    return;
  int64_t hidden = n.shape(2)[2];
  if (n.hasAttr("hidden_size") && n.intAttr("hidden_size", hidden) != hidden) {
    n.attrFail("hidden_size", "is " + Twine(n.intAttr("hidden_size", hidden)) +
                                  ", but its 'R' is a " + llvm::to_string(n.type(2)));
    return;
  }
  int64_t batch = n.shape(0)[batchFirst ? 0 : 1];
  SmallVector<int64_t> state = batchFirst ? SmallVector<int64_t>{batch, directions, hidden}
                                          : SmallVector<int64_t>{directions, batch, hidden};
  const std::pair<const char *, SmallVector<int64_t>> expected[] = {
      {"X", SmallVector<int64_t>(n.shape(0))},
      {"W", {directions, gates * hidden, n.shape(0)[2]}},
      {"R", {directions, gates * hidden, hidden}},
      {"B", {directions, 2 * gates * hidden}},
      {"sequence_lens", {batch}},
      {"initial_h", state},
      {"initial_c", state},
      {"P", {directions, 3 * hidden}}};
  for (auto [i, entry] : llvm::enumerate(expected)) {
    if (!n.has(i))
      continue;
    if (n.shape(i) != ArrayRef(entry.second))
      n.fail("its '" + Twine(entry.first) + "' is a " + llvm::to_string(n.type(i)) +
             ", expected the shape " + str(entry.second));
    else if (i != 4 && n.elementType(i) != n.elementType(0))
      n.fail("its '" + Twine(entry.first) + "' is a " + llvm::to_string(n.type(i)) +
             ", but its 'X' a " + llvm::to_string(n.type(0)));
  }
}

template <Cell cell> static LogicalResult importRecurrent(OnnxNode &n) {
  constexpr int64_t gates = cell == Cell::rnn ? 1 : cell == Cell::gru ? 3 : 4;
  constexpr size_t activations = cell == Cell::rnn ? 1 : cell == Cell::gru ? 2 : 3;
  std::string direction = n.stringAttr("direction", "forward");
  int64_t directions = direction == "bidirectional" ? 2 : 1;
  if (directions == 1 && direction != "forward" && direction != "reverse")
    return n.attrFail("direction",
                      "is '" + direction + "', expected forward, reverse or bidirectional");
  bool batchFirst = n.opset >= 14 && n.boolAttr("layout", false);
  for (StringRef name : {"clip", "activation_alpha", "activation_beta"})
    if (n.hasAttr(name))
      return n.attrFail(name, "is not supported; the model must be exported without it");
  if (cell == Cell::lstm && n.boolAttr("input_forget", false))
    return n.attrFail("input_forget", "is 1: coupled gates are not supported");
  bool resetAfter = cell == Cell::gru && n.boolAttr("linear_before_reset", false);
  checkOperands(n, directions, gates, batchFirst);
  SmallVector<std::string> names = n.stringsAttr("activations");
  if (!n.failed() && !names.empty() && names.size() != activations * directions)
    return n.attrFail("activations", "has " + Twine(names.size()) + " names, expected " +
                                         Twine(activations * directions));
  SmallVector<RecurrentForm::Activation> functions;
  for (const std::string &name : names)
    functions.push_back(activation(n, name));
  if (n.failed())
    return failure();

  Value x = batchFirst ? n.c.transpose(n[0], 0, 1) : n[0];
  auto state = [&](size_t i) { return batchFirst && n.has(i) ? n.c.transpose(n[i], 0, 1) : n[i]; };
  SmallVector<Value> all, states, cells;
  for (int64_t d = 0; d < directions; ++d) {
    RecurrentForm form;
    form.reverse = d == 1 || direction == "reverse";
    form.resetAfter = resetAfter;
    form.lengths = n[4];
    RecurrentForm::Activation *slots[] = {&form.gate, &form.candidate, &form.output};
    for (size_t i = 0; i < activations && !functions.empty(); ++i)
      *slots[i] = functions[d * activations + i];
    auto pick = [&](Value operand) { return ofDirection(n, operand, d); };
    Value w = pick(n[1]), r = pick(n[2]), b = pick(n[3]), h = pick(state(5));
    RecurrentResult result;
    if constexpr (cell == Cell::rnn)
      result = n.c.rnn(x, w, r, b, h, form);
    else if constexpr (cell == Cell::gru)
      result = n.c.gru(x, w, r, b, h, form);
    else
      result = n.c.lstm(x, w, r, b, h, pick(state(6)), pick(n[7]), form);
    if (!result.all)
      return failure();
    auto withDirection = [&](Value value, int64_t at) {
      SmallVector<int64_t> shape(n.c.shapeOf(value));
      shape.insert(shape.begin() + at, 1);
      return n.c.reshape(value, shape);
    };
    all.push_back(withDirection(result.all, 1));
    states.push_back(withDirection(result.state, 0));
    if (result.cell)
      cells.push_back(withDirection(result.cell, 0));
  }
  Value y = n.c.concat(all, 1), last = n.c.concat(states, 0);
  Value lastCell = cells.empty() ? Value() : n.c.concat(cells, 0);
  if (batchFirst) {
    y = n.c.permute(y, {2, 0, 1, 3});
    last = n.c.transpose(last, 0, 1);
    lastCell = lastCell ? n.c.transpose(lastCell, 0, 1) : lastCell;
  }
  return n.results({y, last, lastCell});
}

ArrayRef<OnnxRow> mlir::tiny::onnxRecurrentRows() {
  static const OnnxRow rows[] = {
      {"GRU", 7, kLatest, 3, 6, importRecurrent<Cell::gru>, /*maxResults=*/2},
      {"LSTM", 7, kLatest, 3, 8, importRecurrent<Cell::lstm>, /*maxResults=*/3},
      {"RNN", 7, kLatest, 3, 6, importRecurrent<Cell::rnn>, /*maxResults=*/2},
  };
  return rows;
}
