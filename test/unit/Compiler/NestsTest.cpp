//===- NestsTest.cpp - kernels of several nests, executed -----------------===//
//
// Kernels written as the Schedule stage may leave them, tiled, compiled and run, and
// compared with plain loops.
//
//===----------------------------------------------------------------------===//

#include "KernelRunner.h"

#include "Tiny/Runtime/Session.h"

#include <cmath>
#include <functional>

using namespace tinytest;
using namespace mlir::tiny;

namespace {

/// Loops are letters: "rc" is a tensor of shape [extent of r, extent of c].
struct Operand {
  std::string name, loops;
};

/// The text of a program with one kernel. Bodies have the operands as %a, %b, … and give %y.
class Kernel {
public:
  explicit Kernel(std::map<char, int64_t> extents) : extents(std::move(extents)) {}

  std::vector<int64_t> shape(const std::string &loops) const {
    std::vector<int64_t> result;
    for (char loop : loops)
      result.push_back(extents.at(loop));
    return result;
  }
  int64_t elements(const std::string &loops) const {
    int64_t count = 1;
    for (int64_t extent : shape(loops))
      count *= extent;
    return count;
  }

  void input(std::string name, std::string loops) { inputs.push_back({name, loops}); }
  void output(std::string name, std::string loops) { outputs.push_back({name, loops}); }

  /// An elementwise nest that gives `result`, in the destination `out` or else a local.
  void map(const std::string &result, const std::string &loops, std::vector<Operand> operands,
           const std::string &body, std::string out = "") {
    if (out.empty()) {
      out = result + "_init";
      text += "%" + out + " = tensor.empty() : " + type(loops) + "\n";
    }
    generic(result, loops, "", std::move(operands), {out, loops}, body);
  }

  /// A reduction of the body's %y by `combine`, and an epilogue with the operands `others` (%b, …;
  /// %a is what was reduced).
  void reduce(const std::string &result, const std::string &loops, const std::string &reduced,
              std::vector<Operand> operands, const std::string &body, const std::string &combine,
              std::vector<Operand> others = {},
              const std::string &epilogue = "%y = arith.addf %a, %zero : f32",
              const std::string &out = "") {
    text += "%" + result + "_e = tensor.empty() : " + type(loops) + "\n";
    text += "%" + result + "_f = linalg.fill ins(" +
            (combine == "arith.maximumf" ? "%least" : "%zero") + " : f32) outs(%" + result +
            "_e : " + type(loops) + ") -> " + type(loops) + "\n";
    generic(result + "_r", loops, reduced, std::move(operands), {result + "_f", loops},
            body + "\n%z = " + combine + " %acc, %y : f32", "%z");
    others.insert(others.begin(), {result + "_r", loops});
    map(result, loops, others, epilogue, out);
  }

  void raw(const std::string &line) { text += line + "\n"; }
  void returns(const std::string &value) { returned.push_back(value); }

  std::string type(const std::string &loops) const {
    std::string result = "tensor<";
    for (int64_t extent : shape(loops))
      result += std::to_string(extent) + "x";
    return result + "f32>";
  }

  /// With a host function that launches it.
  std::string program() const {
    std::string arguments, kernelArguments, names, inTypes, outTypes, slots, results;
    auto append = [](std::string &list, const std::string &item) {
      list += (list.empty() ? "" : ", ") + item;
    };
    for (const Operand &in : inputs) {
      append(arguments, "%" + in.name + ": " + type(in.loops));
      append(names, "%" + in.name);
      append(inTypes, type(in.loops));
    }
    kernelArguments = arguments;
    for (size_t i = 0; i < outputs.size(); ++i) {
      const Operand &out = outputs[i];
      append(kernelArguments, "%" + out.name + ": " + type(out.loops));
      append(outTypes, type(out.loops));
      append(results, "%0#" + std::to_string(i));
      append(slots, "#tiny.slot<result[" + std::to_string(i) +
                        "], offset = 0, bytes = " + std::to_string(elements(out.loops) * 4) + ">");
    }
    std::string values;
    for (const std::string &value : returned)
      append(values, "%" + value);
    return "func.func @main(" + arguments + ") -> (" + outTypes +
           ") {\n%0:" + std::to_string(outputs.size()) + " = tiny.launch @k(" + names +
           ") {result_slots = [" + slots + "]} : (" + inTypes + ") -> (" + outTypes + ")\nreturn " +
           results + " : " + outTypes + "\n}\nfunc.func private @k(" + kernelArguments + ") -> (" +
           outTypes +
           ") attributes {tiny.kernel} {\n%zero = arith.constant 0.0 : f32\n"
           "%least = arith.constant 0xFF800000 : f32\n" +
           text + "return " + values + " : " + outTypes + "\n}\n";
  }

  std::vector<Operand> inputs, outputs;

private:
  static std::string map(const std::string &from, const std::string &to) {
    auto list = [](const std::string &loops) {
      std::string result;
      for (char loop : loops)
        result += std::string(result.empty() ? "" : ", ") + loop;
      return "(" + result + ")";
    };
    return "affine_map<" + list(from) + " -> " + list(to) + ">";
  }

  void generic(const std::string &result, const std::string &parallel, const std::string &reduced,
               std::vector<Operand> operands, const Operand &init, const std::string &body,
               const std::string &yielded = "%y") {
    std::string loops = parallel + reduced, maps, iterators, values, types, arguments;
    char letter = 'a';
    for (const Operand &operand : operands) {
      maps += map(loops, operand.loops) + ", ";
      values += (values.empty() ? "%" : ", %") + operand.name;
      types += (types.empty() ? "" : ", ") + type(operand.loops);
      arguments += std::string("%") + letter++ + ": f32, ";
    }
    for (size_t i = 0; i < loops.size(); ++i)
      iterators +=
          std::string(i ? ", " : "") + (i < parallel.size() ? "\"parallel\"" : "\"reduction\"");
    text += "%" + result + " = linalg.generic {indexing_maps = [" + maps + map(loops, init.loops) +
            "], iterator_types = [" + iterators + "]}" +
            (operands.empty() ? "" : " ins(" + values + " : " + types + ")") + " outs(%" +
            init.name + " : " + type(init.loops) + ") {\n^bb0(" + arguments + "%acc: f32):\n" +
            body + "\nlinalg.yield " + yielded + " : f32\n} -> " + type(init.loops) + "\n";
  }

  std::map<char, int64_t> extents;
  std::string text;
  std::vector<std::string> returned;
};

using Values = std::vector<float>;

/// Numbers from -1 to 1 that repeat in no period of a shape here.
Values numbers(int64_t count, unsigned seed) {
  Values values;
  for (int64_t i = 0; i < count; ++i)
    values.push_back(((i * 7919 + seed * 104729) % 2003) / 1001.5f - 1);
  return values;
}

using Tensors = std::vector<tinyrt::Tensor>;

/// Runs `source`, a scheduled program, for every CPU whose code this machine runs.
void runEverywhere(const std::string &source, const Tensors &arguments,
                   const std::function<void(const Tensors &)> &check) {
  for (const char *cpu : {"x86-64", "x86-64-v3", "host"}) {
    SCOPED_TRACE(cpu);
    auto described = describeCPU(cpu);
    if (!described) {
      llvm::consumeError(described.takeError());
      continue;
    }
    if (!missingOnHost(*described).empty())
      continue;
    CompileOptions options;
    options.cpu = cpu;
    options.input = Stage::scheduled;
    auto artefact = compileProgram(source, options);
    ASSERT_NE(artefact, nullptr) << source;
    std::string error;
    auto program = tinyrt::Program::create(tinyrt::createCpuDevice(2), artefact->plan,
                                           artefact->code(), artefact->constants.data(), error);
    ASSERT_NE(program, nullptr) << error;
    auto session = tinyrt::Session::create(program, {/*poison=*/true, /*profile=*/false}, error);
    ASSERT_NE(session, nullptr) << error;
    Tensors results;
    ASSERT_TRUE(session->run(arguments, results, error)) << error;
    check(results);
  }
}

tinyrt::Tensor tensorOf(std::vector<int64_t> shape, const Values &values) {
  tinyrt::Tensor tensor({tinyrt::ElementType::f32, std::move(shape)});
  std::memcpy(tensor.data(), values.data(), tensor.bytes());
  return tensor;
}

void expectNear(const tinyrt::Tensor &result, const Values &wanted) {
  const float *got = result.as<float>();
  for (size_t i = 0; i < wanted.size(); ++i) {
    if (std::isnan(wanted[i]))
      ASSERT_TRUE(std::isnan(got[i])) << "element " << i << " is " << got[i];
    else
      ASSERT_NEAR(got[i], wanted[i], 1e-4f * (1 + std::abs(wanted[i]))) << "element " << i;
  }
}

/// Runs `kernel` on `numbers` and compares its results with `expected` of the same. NaN stands for
/// what no nest may write.
void check(const Kernel &kernel,
           const std::function<std::vector<Values>(const std::vector<Values> &)> &expected) {
  std::vector<Values> inputs;
  Tensors arguments;
  for (const Operand &in : kernel.inputs) {
    inputs.push_back(numbers(kernel.elements(in.loops), inputs.size()));
    arguments.push_back(tensorOf(kernel.shape(in.loops), inputs.back()));
  }
  std::vector<Values> wanted = expected(inputs);
  runEverywhere(kernel.program(), arguments, [&](const Tensors &results) {
    ASSERT_EQ(results.size(), wanted.size());
    for (size_t i = 0; i < wanted.size(); ++i)
      expectNear(results[i], wanted[i]);
  });
}

/// softmax, in powers of two, of `count` numbers that lie `stride` apart.
void softmax(const float *x, float *y, int64_t count, int64_t stride) {
  double most = -INFINITY, sum = 0;
  for (int64_t i = 0; i < count; ++i)
    most = std::max<double>(most, x[i * stride]);
  for (int64_t i = 0; i < count; ++i)
    sum += std::exp2(x[i * stride] - most);
  for (int64_t i = 0; i < count; ++i)
    y[i * stride] = std::exp2(x[i * stride] - most) / sum;
}

constexpr const char *kPower = "%d = arith.subf %a, %b : f32\n%y = math.exp2 %d : f32";
constexpr const char *kTimes = "%y = arith.mulf %a, %b : f32";
constexpr const char *kSame = "%y = arith.addf %a, %zero : f32";

/// softmax over `axis` of x[loops] into `result`: four nests.
void addSoftmax(Kernel &kernel, const std::string &x, const std::string &loops, char axis,
                const std::string &result, const std::string &out = "") {
  std::string rest = loops;
  rest.erase(rest.find(axis), 1);
  kernel.reduce(result + "m", rest, {axis}, {{x, loops}}, kSame, "arith.maximumf");
  kernel.map(result + "e", loops, {{x, loops}, {result + "m", rest}}, kPower);
  kernel.reduce(result + "l", rest, {axis}, {{result + "e", loops}}, kSame, "arith.addf");
  kernel.map(result, loops, {{result + "e", loops}, {result + "l", rest}},
             "%y = arith.divf %a, %b : f32", out);
}

TEST(Nests, SoftmaxOverLastAxis) {
  Kernel kernel({{'r', 36}, {'c', 129}});
  kernel.input("x", "rc");
  kernel.output("out", "rc");
  addSoftmax(kernel, "x", "rc", 'c', "y", "out");
  kernel.returns("y");
  check(kernel, [](const std::vector<Values> &in) {
    Values y(in[0].size());
    for (int64_t r = 0; r < 36; ++r)
      softmax(&in[0][r * 129], &y[r * 129], 129, 1);
    return std::vector<Values>{y};
  });
}

TEST(Nests, SoftmaxOverMiddleAxis) {
  Kernel kernel({{'b', 6}, {'c', 33}, {'x', 40}});
  kernel.input("x", "bcx");
  kernel.output("out", "bcx");
  addSoftmax(kernel, "x", "bcx", 'c', "y", "out");
  kernel.returns("y");
  check(kernel, [](const std::vector<Values> &in) {
    Values y(in[0].size());
    for (int64_t b = 0; b < 6; ++b)
      for (int64_t x = 0; x < 40; ++x)
        softmax(&in[0][b * 33 * 40 + x], &y[b * 33 * 40 + x], 33, 40);
    return std::vector<Values>{y};
  });
}

/// One workgroup: nothing is shared, and no loop is formed.
TEST(Nests, SoftmaxOverEverything) {
  Kernel kernel({{'c', 2500}});
  kernel.input("x", "c");
  kernel.output("out", "c");
  addSoftmax(kernel, "x", "c", 'c', "y", "out");
  kernel.returns("y");
  check(kernel, [](const std::vector<Values> &in) {
    Values y(in[0].size());
    softmax(in[0].data(), y.data(), 2500, 1);
    return std::vector<Values>{y};
  });
}

TEST(Nests, LayerNorm) {
  constexpr int64_t rows = 40, columns = 96;
  Kernel kernel({{'r', rows}, {'c', columns}});
  kernel.input("x", "rc");
  kernel.input("scale", "c");
  kernel.output("out", "rc");
  kernel.raw("%n = arith.constant 96.0 : f32");
  kernel.reduce("mean", "r", "c", {{"x", "rc"}}, kSame, "arith.addf", {},
                "%y = arith.divf %a, %n : f32");
  kernel.reduce("variance", "r", "c", {{"x", "rc"}, {"mean", "r"}},
                "%d = arith.subf %a, %b : f32\n%y = arith.mulf %d, %d : f32", "arith.addf", {},
                "%y = arith.divf %a, %n : f32");
  kernel.map("y", "rc", {{"x", "rc"}, {"mean", "r"}, {"variance", "r"}, {"scale", "c"}},
             "%s = arith.subf %a, %b : f32\n%q = math.sqrt %c : f32\n"
             "%u = arith.divf %s, %q : f32\n%y = arith.mulf %u, %d : f32",
             "out");
  kernel.returns("y");
  check(kernel, [](const std::vector<Values> &in) {
    Values y(in[0].size());
    for (int64_t r = 0; r < rows; ++r) {
      const float *x = &in[0][r * columns];
      double mean = 0, variance = 0;
      for (int64_t c = 0; c < columns; ++c)
        mean += x[c] / columns;
      for (int64_t c = 0; c < columns; ++c)
        variance += (x[c] - mean) * (x[c] - mean) / columns;
      for (int64_t c = 0; c < columns; ++c)
        y[r * columns + c] = (x[c] - mean) / std::sqrt(variance) * in[1][c];
    }
    return std::vector<Values>{y};
  });
}

/// softmax(q kᵀ) v, with the scores of a few queries in a local.
TEST(Nests, Attention) {
  constexpr int64_t heads = 3, queries = 24, keys = 37, depth = 20, width = 28;
  Kernel kernel({{'h', heads}, {'q', queries}, {'k', keys}, {'d', depth}, {'w', width}});
  kernel.input("query", "hqd");
  kernel.input("key", "hkd");
  kernel.input("value", "hkw");
  kernel.output("out", "hqw");
  kernel.reduce("s", "hqk", "d", {{"query", "hqd"}, {"key", "hkd"}}, kTimes, "arith.addf");
  addSoftmax(kernel, "s", "hqk", 'k', "p");
  kernel.reduce("y", "hqw", "k", {{"p", "hqk"}, {"value", "hkw"}}, kTimes, "arith.addf", {}, kSame,
                "out");
  kernel.returns("y");
  check(kernel, [](const std::vector<Values> &in) {
    Values y(heads * queries * width);
    for (int64_t h = 0; h < heads; ++h)
      for (int64_t q = 0; q < queries; ++q) {
        Values scores(keys), p(keys);
        for (int64_t k = 0; k < keys; ++k)
          for (int64_t d = 0; d < depth; ++d)
            scores[k] += in[0][(h * queries + q) * depth + d] * in[1][(h * keys + k) * depth + d];
        softmax(scores.data(), p.data(), keys, 1);
        for (int64_t k = 0; k < keys; ++k)
          for (int64_t w = 0; w < width; ++w)
            y[(h * queries + q) * width + w] += p[k] * in[2][(h * keys + k) * width + w];
      }
    return std::vector<Values>{y};
  });
}

/// The first result is also what the second one is made of.
TEST(Nests, ResultThatIsRead) {
  constexpr int64_t rows = 64, columns = 48;
  Kernel kernel({{'r', rows}, {'c', columns}});
  kernel.input("x", "rc");
  kernel.output("squares", "rc");
  kernel.output("sums", "r");
  kernel.map("s", "rc", {{"x", "rc"}}, "%y = arith.mulf %a, %a : f32", "squares");
  kernel.reduce("t", "r", "c", {{"s", "rc"}}, kSame, "arith.addf", {}, kSame, "sums");
  kernel.returns("s");
  kernel.returns("t");
  check(kernel, [](const std::vector<Values> &in) {
    Values squares, sums(rows);
    for (size_t i = 0; i < in[0].size(); ++i) {
      squares.push_back(in[0][i] * in[0][i]);
      sums[i / columns] += squares[i];
    }
    return std::vector<Values>{squares, sums};
  });
}

/// A local that is read transposed: the loop that both nests share is another one in each.
TEST(Nests, TransposedLocal) {
  constexpr int64_t rows = 32, columns = 24;
  Kernel kernel({{'r', rows}, {'c', columns}});
  kernel.input("x", "rc");
  kernel.input("z", "cr");
  kernel.output("out", "cr");
  kernel.map("s", "rc", {{"x", "rc"}}, "%y = math.exp2 %a : f32");
  kernel.map("y", "cr", {{"s", "rc"}, {"z", "cr"}}, kTimes, "out");
  kernel.returns("y");
  check(kernel, [](const std::vector<Values> &in) {
    Values y(rows * columns);
    for (int64_t r = 0; r < rows; ++r)
      for (int64_t c = 0; c < columns; ++c)
        y[c * rows + r] = std::exp2(in[0][r * columns + c]) * in[1][c * rows + r];
    return std::vector<Values>{y};
  });
}

/// A part of a larger destination, in a loop over workgroups (rows) and in one workgroup.
TEST(Nests, PartOfResult) {
  for (int64_t rows : {60, 2}) {
    constexpr int64_t columns = 24, width = 90;
    Kernel kernel({{'r', rows}, {'c', columns}, {'w', width}});
    kernel.input("x", "rc");
    kernel.output("out", "rw");
    kernel.output("sums", "r");
    std::string slice = "[0, 7] [" + std::to_string(rows) + ", 24] [1, 3] : ";
    kernel.raw("%part = tensor.extract_slice %out" + slice + kernel.type("rw") + " to " +
               kernel.type("rc"));
    addSoftmax(kernel, "x", "rc", 'c', "n", "part");
    kernel.raw("%whole = tensor.insert_slice %n into %out" + slice + kernel.type("rc") + " into " +
               kernel.type("rw"));
    kernel.reduce("t", "r", "c", {{"n", "rc"}}, kSame, "arith.addf", {}, kSame, "sums");
    kernel.returns("whole");
    kernel.returns("t");
    check(kernel, [&](const std::vector<Values> &in) {
      Values whole(rows * width, NAN), sums(rows, 1.0f);
      for (int64_t r = 0; r < rows; ++r) {
        Values y(columns);
        softmax(&in[0][r * columns], y.data(), columns, 1);
        for (int64_t c = 0; c < columns; ++c)
          whole[r * width + 7 + 3 * c] = y[c];
      }
      return std::vector<Values>{whole, sums};
    });
  }
}

/// Three groups that no local connects: two grids of different sizes, and one workgroup.
TEST(Nests, SideBySide) {
  constexpr int64_t rows = 30, columns = 70, depth = 64, width = 44;
  Kernel kernel({{'r', rows}, {'c', columns}, {'d', depth}, {'w', width}});
  kernel.input("x", "rd");
  kernel.input("left", "dc");
  kernel.input("right", "dw");
  kernel.output("first", "rc");
  kernel.output("second", "rw");
  kernel.output("third", "d");
  kernel.reduce("p", "rc", "d", {{"x", "rd"}, {"left", "dc"}}, kTimes, "arith.addf", {}, kSame,
                "first");
  // In between, so that the order of the groups is not that of the ops.
  kernel.reduce("m", "d", "r", {{"x", "rd"}}, kSame, "arith.maximumf");
  kernel.reduce("q", "rw", "d", {{"x", "rd"}, {"right", "dw"}}, kTimes, "arith.addf");
  kernel.map("u", "d", {{"m", "d"}}, "%y = arith.addf %a, %a : f32", "third");
  addSoftmax(kernel, "q", "rw", 'w', "v", "second");
  for (const char *result : {"p", "v", "u"})
    kernel.returns(result);
  check(kernel, [](const std::vector<Values> &in) {
    Values first(rows * columns), second(rows * width), third(depth, -INFINITY);
    for (int64_t r = 0; r < rows; ++r) {
      Values q(width);
      for (int64_t d = 0; d < depth; ++d) {
        float x = in[0][r * depth + d];
        third[d] = std::max(third[d], 2 * x);
        for (int64_t c = 0; c < columns; ++c)
          first[r * columns + c] += x * in[1][d * columns + c];
        for (int64_t w = 0; w < width; ++w)
          q[w] += x * in[2][d * width + w];
      }
      softmax(q.data(), &second[r * width], width, 1);
    }
    return std::vector<Values>{first, second, third};
  });
}

//===----------------------------------------------------------------------===//
// Indices from data
//===----------------------------------------------------------------------===//

/// Every index, however far off, reads its row or gives the pad.
class Lookup : public testing::Test {
protected:
  static constexpr int64_t count = 21, rows = 10, width = 24;
  std::vector<int64_t> ids = {0,
                              9,
                              10,
                              -1,
                              3,
                              INT64_MAX,
                              INT64_MIN,
                              INT64_MIN + 1,
                              1,
                              2,
                              int64_t(1) << 32,
                              (int64_t(1) << 32) + 3,
                              int64_t(1) << 62,
                              -(int64_t(1) << 60),
                              7,
                              8,
                              INT64_MAX / 24,
                              INT64_MAX / 96,
                              5,
                              4,
                              6};
  Values table = numbers(rows * width, 3);

  bool known(int64_t id) const { return id >= 0 && id < rows; }
  Tensors arguments() const {
    tinyrt::Tensor idTensor({tinyrt::ElementType::i64, {count}});
    std::memcpy(idTensor.data(), ids.data(), idTensor.bytes());
    return {idTensor, tensorOf({rows * width}, table)};
  }
  static std::string program(const char *resultType, int64_t bytes, const std::string &kernel) {
    return llvm::formatv(R"(
      func.func @main(%ids: tensor<21xi64>, %table: tensor<240xf32>) -> {0} {{
        %0 = tiny.launch @k(%ids, %table) {{result_slots = [
          #tiny.slot<result[0], offset = 0, bytes = {1}>]}
          : (tensor<21xi64>, tensor<240xf32>) -> {0}
        return %0 : {0}
      }
      func.func private @k(%ids: tensor<21xi64>, %table: tensor<240xf32>, %out: {0}) -> {0}
          attributes {{tiny.kernel} {{
        {2}
        return %o : {0}
      })",
                         resultType, bytes, kernel);
  }
};

/// The index does not move with the vector loop.
TEST_F(Lookup, Rows) {
  std::string source = program("tensor<21x24xf32>", count * width * 4, R"(
    %o = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i)>, affine_map<(i, j) -> (i, j)>],
        iterator_types = ["parallel", "parallel"]}
        ins(%ids : tensor<21xi64>) outs(%out : tensor<21x24xf32>) {
    ^bb0(%id: i64, %old: f32):
      %row = arith.index_cast %id : i64 to index
      %j = linalg.index 1 : index
      %v = tiny.read %table[%row, %j] affine_map<(r, j) -> (r * 24 + j)>
        where affine_map<(r, j) -> (r)> in [0] to [10] else [-5.0 : f32] : tensor<240xf32> -> f32
      linalg.yield %v : f32
    } -> tensor<21x24xf32>)");
  Values wanted;
  for (int64_t id : ids)
    for (int64_t j = 0; j < width; ++j)
      wanted.push_back(known(id) ? table[id * width + j] : -5.0f);
  runEverywhere(source, arguments(),
                [&](const Tensors &results) { expectNear(results[0], wanted); });
}

/// The index is another one in each lane, and a second guard depends on it.
TEST_F(Lookup, Lanes) {
  std::string source = program("tensor<21xf32>", count * 4, R"(
    %o = linalg.generic {indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>],
        iterator_types = ["parallel"]} ins(%ids : tensor<21xi64>) outs(%out : tensor<21xf32>) {
    ^bb0(%id: i64, %old: f32):
      %row = arith.index_cast %id : i64 to index
      %i = linalg.index 0 : index
      %v = tiny.read %table[%row, %i] affine_map<(r, i) -> (r * 24 + i)>
        where affine_map<(r, i) -> (r, r * 2 + i)> in [0, 3] to [10, 30]
        else [-5.0 : f32, 7.0 : f32] : tensor<240xf32> -> f32
      linalg.yield %v : f32
    } -> tensor<21xf32>)");
  Values wanted;
  for (int64_t i = 0; i < count; ++i) {
    int64_t id = ids[i];
    bool second = known(id) && id * 2 + i >= 3 && id * 2 + i < 30;
    wanted.push_back(!known(id) ? -5.0f : second ? table[id * width + i] : 7.0f);
  }
  runEverywhere(source, arguments(),
                [&](const Tensors &results) { expectNear(results[0], wanted); });
}

/// The index moves with a reduction: the rows are added up.
TEST_F(Lookup, Sum) {
  std::string source = program("tensor<24xf32>", width * 4, R"(
    %zero = arith.constant 0.0 : f32
    %e = tensor.empty() : tensor<24xf32>
    %f = linalg.fill ins(%zero : f32) outs(%e : tensor<24xf32>) -> tensor<24xf32>
    %r = linalg.generic {indexing_maps = [affine_map<(j, i) -> (i)>, affine_map<(j, i) -> (j)>],
        iterator_types = ["parallel", "reduction"]}
        ins(%ids : tensor<21xi64>) outs(%f : tensor<24xf32>) {
    ^bb0(%id: i64, %acc: f32):
      %row = arith.index_cast %id : i64 to index
      %j = linalg.index 0 : index
      %v = tiny.read %table[%row, %j] affine_map<(r, j) -> (r * 24 + j)>
        where affine_map<(r, j) -> (r)> in [0] to [10] else [0.5 : f32] : tensor<240xf32> -> f32
      %s = arith.addf %acc, %v : f32
      linalg.yield %s : f32
    } -> tensor<24xf32>
    %o = linalg.generic {indexing_maps = [affine_map<(j) -> (j)>, affine_map<(j) -> (j)>],
        iterator_types = ["parallel"]} ins(%r : tensor<24xf32>) outs(%out : tensor<24xf32>) {
    ^bb0(%a: f32, %old: f32):
      linalg.yield %a : f32
    } -> tensor<24xf32>)");
  Values wanted(width);
  for (int64_t id : ids)
    for (int64_t j = 0; j < width; ++j)
      wanted[j] += known(id) ? table[id * width + j] : 0.5f;
  runEverywhere(source, arguments(),
                [&](const Tensors &results) { expectNear(results[0], wanted); });
}

} // namespace
