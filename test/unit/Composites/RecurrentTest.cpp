//===- RecurrentTest.cpp - RNN, GRU, LSTM ---------------------------------===//
//
// Against the equations of ONNX's operators in double, step by step and unit by unit.
//
//===----------------------------------------------------------------------===//

#include "Harness.h"

using namespace mlir;
using namespace mlir::tiny;
using namespace mlir::tiny::test;

namespace {

constexpr int64_t kTime = 4, kBatch = 3, kInput = 5, kHidden = 2;

double sigmoidOf(double x) { return 1 / (1 + std::exp(-x)); }

class RecurrentTest : public CompositesTest {
protected:
  struct Parameters {
    Array x, weights, recurrence, bias, state, cell, peepholes, lengths;
  };

  static Parameters parameters(int64_t gates) {
    return {Array::random({kTime, kBatch, kInput}, 1),
            Array::random({gates * kHidden, kInput}, 2),
            Array::random({gates * kHidden, kHidden}, 3),
            Array::random({2 * gates * kHidden}, 4),
            Array::random({kBatch, kHidden}, 5),
            Array::random({kBatch, kHidden}, 6),
            Array::random({3 * kHidden}, 7),
            Array::of({4, 1, 2}, ElementType::i32)};
  }

  /// x · w + bias of a gate's unit; the same of the state.
  static double ofInput(const Parameters &p, int64_t t, int64_t n, int64_t row) {
    double sum = p.bias.values[row];
    for (int64_t i = 0; i < kInput; ++i)
      sum += p.x.at({t, n, i}) * p.weights.at({row, i});
    return sum;
  }
  static double ofState(const Parameters &p, ArrayRef<double> h, int64_t row) {
    double sum = p.bias.values[p.bias.values.size() / 2 + row];
    for (int64_t i = 0; i < kHidden; ++i)
      sum += h[i] * p.recurrence.at({row, i});
    return sum;
  }

  /// Steps of one batch entry: `step(t, h, c)` updates both. Gives all states, or the last one, or
  /// the last cell.
  template <typename Step>
  static Array walk(const Parameters &p, bool reverse, bool useLengths, int which, Step step) {
    Array all = tabulate({kTime, kBatch, kHidden}, [](ArrayRef<int64_t>) { return 0; });
    Array state = p.state, cell = p.cell;
    for (int64_t n = 0; n < kBatch; ++n) {
      SmallVector<double> h, c;
      for (int64_t i = 0; i < kHidden; ++i)
        h.push_back(p.state.at({n, i})), c.push_back(p.cell.at({n, i}));
      int64_t length = useLengths ? p.lengths.values[n] : kTime;
      for (int64_t i = 0; i < length; ++i) {
        int64_t t = reverse ? length - 1 - i : i;
        step(t, n, h, c);
        for (int64_t j = 0; j < kHidden; ++j)
          all.at({t, n, j}) = h[j];
      }
      for (int64_t j = 0; j < kHidden; ++j)
        state.at({n, j}) = h[j], cell.at({n, j}) = c[j];
    }
    return which == 0 ? all : which == 1 ? state : cell;
  }

  static Value pick(const RecurrentResult &result, int which) {
    return which == 0 ? result.all : which == 1 ? result.state : result.cell;
  }
};

TEST_F(RecurrentTest, Rnn) {
  Parameters p = parameters(1);
  for (bool reverse : {false, true})
    for (int which : {0, 1}) {
      Array expected =
          walk(p, reverse, false, which,
               [&](int64_t t, int64_t n, SmallVector<double> &h, SmallVector<double> &) {
                 SmallVector<double> old(h);
                 for (int64_t j = 0; j < kHidden; ++j)
                   h[j] = std::tanh(ofInput(p, t, n, j) + ofState(p, old, j));
               });
      expectClose(run({p.x, p.weights, p.recurrence, p.bias, p.state},
                      [&](Composer &c, ValueRange args) {
                        RecurrentForm form;
                        form.reverse = reverse;
                        return pick(c.rnn(args[0], args[1], args[2], args[3], args[4], form),
                                    which);
                      }),
                  expected);
    }
}

TEST_F(RecurrentTest, Gru) {
  Parameters p = parameters(3);
  for (bool reverse : {false, true})
    for (bool resetAfter : {false, true})
      for (bool useLengths : {false, true})
        for (int which : {0, 1}) {
          Array expected =
              walk(p, reverse, useLengths, which,
                   [&](int64_t t, int64_t n, SmallVector<double> &h, SmallVector<double> &) {
                     SmallVector<double> old(h), z(2), r(2), reset(2);
                     for (int64_t j = 0; j < kHidden; ++j) {
                       z[j] = sigmoidOf(ofInput(p, t, n, j) + ofState(p, old, j));
                       r[j] = sigmoidOf(ofInput(p, t, n, 2 + j) + ofState(p, old, 2 + j));
                       reset[j] = r[j] * old[j];
                     }
                     for (int64_t j = 0; j < kHidden; ++j) {
                       double part =
                           resetAfter ? r[j] * ofState(p, old, 4 + j) : ofState(p, reset, 4 + j);
                       double candidate = std::tanh(ofInput(p, t, n, 4 + j) + part);
                       h[j] = (1 - z[j]) * candidate + z[j] * old[j];
                     }
                   });
          expectClose(run({p.x, p.weights, p.recurrence, p.bias, p.state, p.lengths},
                          [&](Composer &c, ValueRange args) {
                            RecurrentForm form;
                            form.reverse = reverse;
                            form.resetAfter = resetAfter;
                            if (useLengths)
                              form.lengths = args[5];
                            return pick(c.gru(args[0], args[1], args[2], args[3], args[4], form),
                                        which);
                          }),
                      expected);
        }
}

TEST_F(RecurrentTest, Lstm) {
  Parameters p = parameters(4);
  for (bool reverse : {false, true})
    for (bool usePeepholes : {false, true})
      for (bool useLengths : {false, true})
        for (int which : {0, 1, 2}) {
          Array expected =
              walk(p, reverse, useLengths, which,
                   [&](int64_t t, int64_t n, SmallVector<double> &h, SmallVector<double> &c) {
                     SmallVector<double> old(h);
                     for (int64_t j = 0; j < kHidden; ++j) {
                       auto sum = [&](int64_t gate) {
                         return ofInput(p, t, n, 2 * gate + j) + ofState(p, old, 2 * gate + j);
                       };
                       auto peep = [&](int64_t gate) {
                         return usePeepholes ? c[j] * p.peepholes.values[2 * gate + j] : 0;
                       };
                       double input = sigmoidOf(sum(0) + peep(0));
                       double forget = sigmoidOf(sum(2) + peep(2));
                       c[j] = forget * c[j] + input * std::tanh(sum(3));
                       h[j] = sigmoidOf(sum(1) + peep(1)) * std::tanh(c[j]);
                     }
                   });
          expectClose(
              run({p.x, p.weights, p.recurrence, p.bias, p.state, p.cell, p.peepholes, p.lengths},
                  [&](Composer &c, ValueRange args) {
                    RecurrentForm form;
                    form.reverse = reverse;
                    if (useLengths)
                      form.lengths = args[7];
                    return pick(c.lstm(args[0], args[1], args[2], args[3], args[4], args[5],
                                       usePeepholes ? args[6] : Value(), form),
                                which);
                  }),
              expected);
        }
}

// Without bias and states, and with other activations.
TEST_F(RecurrentTest, DefaultsAndActivations) {
  Parameters p = parameters(1);
  p.bias.values.assign(p.bias.values.size(), 0);
  p.state.values.assign(p.state.values.size(), 0);
  Array expected = walk(p, false, false, 0,
                        [&](int64_t t, int64_t n, SmallVector<double> &h, SmallVector<double> &) {
                          SmallVector<double> old(h);
                          for (int64_t j = 0; j < kHidden; ++j)
                            h[j] = std::max(0.0, ofInput(p, t, n, j) + ofState(p, old, j));
                        });
  expectClose(run({p.x, p.weights, p.recurrence},
                  [&](Composer &c, ValueRange args) {
                    RecurrentForm form;
                    form.gate = [](Composer &c, Value x) { return c.relu(x); };
                    return c.rnn(args[0], args[1], args[2], {}, {}, form).all;
                  }),
              expected);
}

// What depends on the input only is one product, ahead of the steps.
TEST_F(RecurrentTest, OneProductOfTheInput) {
  Parameters p = parameters(4);
  func::FuncOp function = build({p.x, p.weights, p.recurrence}, [&](Composer &c, ValueRange args) {
    return c.lstm(args[0], args[1], args[2], {}, {}, {}, {}).all;
  });
  EXPECT_EQ(countOf<ReduceOp>(function), 1 + kTime);
}

TEST_F(RecurrentTest, Errors) {
  Array x = Array::random({2000, 1, 1}), w = Array::random({3, 1}), r = Array::random({3, 1});
  EXPECT_EQ(errorOf({x, w, r},
                    [](Composer &c, ValueRange args) {
                      return c.gru(args[0], args[1], args[2], {}, {}).all;
                    }),
            "a recurrent layer is unrolled over 1 to 1024 steps, not 2000; cut the sequence and "
            "carry the state\n");
  Array few = Array::random({2, 1, 1});
  EXPECT_EQ(errorOf({few, w, r},
                    [](Composer &c, ValueRange args) {
                      return c.lstm(args[0], args[1], args[2], {}, {}, {}, {}).all;
                    }),
            "with 1 hidden units, 4 gates and 1 inputs, the weights are [4, 1], the recurrent ones "
            "[4, 1] and the bias [8]\n");
}

} // namespace
