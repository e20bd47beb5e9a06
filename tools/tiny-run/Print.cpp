//===- Print.cpp - what tiny-run tells its user ---------------------------===//

#include "Print.h"

#include "Tiny/Runtime/Element.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/raw_ostream.h"

#include <cmath>
#include <map>

using namespace tinyrun;
using llvm::format;
using tinyrt::PlanView;

/// Tensors up to this many elements are printed whole.
static constexpr int64_t kWhole = 64;
/// How many elements of a larger one are shown.
static constexpr int64_t kFirst = 8;

std::string tinyrun::grouped(uint64_t number) {
  std::string text = std::to_string(number);
  for (size_t at = text.size(); at > 3;)
    text.insert(at -= 3, ",");
  return text;
}

std::string tinyrun::milliseconds(double seconds) {
  std::string text;
  double ms = seconds * 1e3;
  llvm::raw_string_ostream(text) << format(ms < 0.1   ? "%.4f ms"
                                           : ms < 100 ? "%.3f ms"
                                                      : "%.0f ms",
                                           ms);
  return text;
}

//===----------------------------------------------------------------------===//
// Tensors
//===----------------------------------------------------------------------===//

/// The elements from `index` on as nested lists, one line for each row of a matrix.
static void printNested(const tinyrt::Tensor &tensor, size_t dim, int64_t &index, size_t indent,
                        std::string &text) {
  const std::vector<int64_t> &shape = tensor.type().shape;
  if (dim == shape.size()) {
    text += elementText(tensor, index++);
    return;
  }
  text += "[";
  for (int64_t i = 0; i < shape[dim]; ++i) {
    if (i > 0)
      text += dim + 1 == shape.size() ? ", " : ",\n" + std::string(indent + dim + 1, ' ');
    printNested(tensor, dim + 1, index, indent, text);
  }
  text += "]";
}

namespace {
/// What a summary says about all elements.
struct Statistics {
  int64_t least = -1, largest = -1; // positions, -1 if all are NaN
  int64_t nans = 0, infinities = 0;
  double mean = 0;
};
} // namespace

static Statistics statisticsOf(const tinyrt::Tensor &tensor) {
  Statistics result;
  double sum = 0, least = 0, largest = 0;
  int64_t count = tensor.numElements();
  for (int64_t i = 0; i < count; ++i) {
    double value = elementAsDouble(tensor, i);
    sum += value;
    result.nans += std::isnan(value);
    result.infinities += std::isinf(value);
    if (std::isnan(value))
      continue;
    if (result.least < 0 || value < least) {
      result.least = i;
      least = value;
    }
    if (result.largest < 0 || value > largest) {
      result.largest = i;
      largest = value;
    }
  }
  result.mean = sum / static_cast<double>(count);
  return result;
}

std::string tinyrun::summary(const std::string &name, const tinyrt::Tensor &tensor) {
  std::string text;
  llvm::raw_string_ostream os(text);
  int64_t count = tensor.numElements();
  os << name << ": " << tensor.type().str() << "\n  ";
  if (count <= kWhole) {
    std::string elements;
    int64_t index = 0;
    printNested(tensor, 0, index, 2, elements);
    os << elements << "\n";
  } else {
    for (int64_t i = 0; i < kFirst; ++i)
      os << elementText(tensor, i) << ", ";
    os << "...\n";
  }
  if (count < 2)
    return text;

  Statistics statistics = statisticsOf(tensor);
  if (tensor.type().element == tinyrt::ElementType::i1) {
    os << "  " << std::llround(statistics.mean * static_cast<double>(count)) << " of " << count
       << " true\n";
    return text;
  }
  os << "  ";
  if (statistics.least >= 0)
    os << "min " << elementText(tensor, statistics.least) << ", max "
       << elementText(tensor, statistics.largest) << ", mean " << format("%.6g", statistics.mean);
  bool isVector = llvm::count_if(tensor.type().shape, [](int64_t size) { return size != 1; }) == 1;
  if (isVector && statistics.largest >= 0)
    os << ", argmax " << statistics.largest;
  if (statistics.nans)
    os << (statistics.least >= 0 ? ", " : "") << statistics.nans << " NaN";
  if (statistics.infinities)
    os << ", " << statistics.infinities << " infinite";
  os << "\n";
  return text;
}

//===----------------------------------------------------------------------===//
// Tables
//===----------------------------------------------------------------------===//

namespace {
/// Columns as wide as they need to be; the first one is text, the others are numbers.
class Table {
public:
  void row(std::vector<std::string> cells) { rows.push_back(std::move(cells)); }
  std::string str() const {
    std::vector<size_t> widths;
    for (const std::vector<std::string> &cells : rows)
      for (auto [i, cell] : llvm::enumerate(cells)) {
        widths.resize(std::max(widths.size(), i + 1));
        widths[i] = std::max(widths[i], cell.size());
      }
    std::string text;
    for (const std::vector<std::string> &cells : rows) {
      std::string line;
      for (auto [i, cell] : llvm::enumerate(cells)) {
        std::string space(widths[i] - cell.size(), ' ');
        line += i == 0 ? cell + space : "  " + space + cell;
      }
      text += line.substr(0, line.find_last_not_of(' ') + 1) + "\n";
    }
    return text;
  }

private:
  std::vector<std::vector<std::string>> rows;
};
} // namespace

static std::string number(const char *layout, double value) {
  std::string text;
  llvm::raw_string_ostream(text) << format(layout, value);
  return text;
}

static std::string gridText(const uint32_t grid[3]) {
  std::string text = std::to_string(grid[0]);
  if (grid[1] > 1 || grid[2] > 1)
    text += "x" + std::to_string(grid[1]);
  if (grid[2] > 1)
    text += "x" + std::to_string(grid[2]);
  return text;
}

/// What a launch moves: the exact count if the plan has it, else all its buffers once.
static double bytesOf(const PlanView &plan, const tiny_plan_launch &launch) {
  if (launch.bytes_read != TINY_PLAN_UNKNOWN && launch.bytes_written != TINY_PLAN_UNKNOWN)
    return static_cast<double>(launch.bytes_read) + static_cast<double>(launch.bytes_written);
  double bytes = 0;
  for (const tiny_plan_buffer &buffer : plan.buffersOf(launch))
    bytes += static_cast<double>(buffer.bytes);
  return bytes;
}

std::string tinyrun::profileTable(const PlanView &plan,
                                  const std::vector<tinyrt::Session::LaunchTime> &times) {
  struct Row {
    std::string grid;
    uint64_t calls = 0;
    double seconds = 0, bytes = 0, flops = 0;
    bool flopsKnown = true;
  };
  // Launches of one kernel over one grid are one row; times are those of one run.
  std::map<std::pair<std::string, std::string>, Row> rows;
  double total = 0;
  bool allFlops = true;
  for (auto [i, launch] : llvm::enumerate(plan.launches())) {
    std::string grid = gridText(launch.grid);
    Row &row = rows[{std::string(plan.text(launch.label)), grid}];
    double runs = static_cast<double>(std::max<uint64_t>(times[i].calls, 1));
    double seconds = static_cast<double>(times[i].nanoseconds) * 1e-9 / runs;
    row.grid = grid;
    ++row.calls;
    row.seconds += seconds;
    row.bytes += bytesOf(plan, launch);
    row.flopsKnown &= launch.flops != TINY_PLAN_UNKNOWN;
    row.flops += row.flopsKnown ? static_cast<double>(launch.flops) : 0;
    total += seconds;
    allFlops &= row.flopsKnown;
  }
  std::vector<std::pair<std::string, Row>> sorted;
  for (auto &[key, row] : rows)
    sorted.push_back({key.first, row});
  llvm::sort(sorted, [](auto &a, auto &b) { return a.second.seconds > b.second.seconds; });

  Table table;
  std::vector<std::string> head = {"kernel", "grid", "calls", "ms", "%", "GB/s"};
  if (allFlops)
    head.push_back("GFLOP/s");
  table.row(head);
  for (auto &[name, row] : sorted) {
    double seconds = std::max(row.seconds, 1e-9);
    std::vector<std::string> cells = {name,
                                      row.grid,
                                      std::to_string(row.calls),
                                      number("%.4f", row.seconds * 1e3),
                                      number("%.1f", total > 0 ? 100 * row.seconds / total : 0),
                                      number("%.2f", row.bytes / seconds * 1e-9)};
    if (allFlops)
      cells.push_back(number("%.2f", row.flops / seconds * 1e-9));
    table.row(std::move(cells));
  }
  table.row({"all", "", std::to_string(plan.launches().size()), number("%.4f", total * 1e3)});
  return table.str();
}

std::string tinyrun::phaseTable(const std::vector<CompilerPhase> &phases) {
  double total = 0;
  for (const CompilerPhase &phase : phases)
    total += phase.seconds;
  Table table;
  table.row({"compile", "ms", "%"});
  for (const CompilerPhase &phase : phases)
    table.row({phase.name, number("%.1f", phase.seconds * 1e3),
               number("%.1f", total > 0 ? 100 * phase.seconds / total : 0)});
  table.row({"all", number("%.1f", total * 1e3)});
  return table.str();
}

//===----------------------------------------------------------------------===//
// Reports
//===----------------------------------------------------------------------===//

static uint64_t bytesOf(const PlanView &plan, tinyrt::PlanRange<tiny_plan_tensor> tensors) {
  uint64_t bytes = 0;
  for (const tiny_plan_tensor &tensor : tensors)
    bytes += plan.type(tensor).bytes();
  return bytes;
}

std::string tinyrun::reportText(const mlir::tiny::Artefact &artefact,
                                const mlir::tiny::Target &peaks,
                                const std::vector<CompilerPhase> &phases,
                                const mlir::tiny::CodeObjectStatistics *code) {
  const PlanView &plan = artefact.plan.view();
  std::string text;
  llvm::raw_string_ostream os(text);
  mlir::tiny::printCost(os, *artefact.cost, peaks);
  os << "\n";
  Table launches;
  launches.row({"launch", "grid", "buffers"});
  for (const tiny_plan_launch &launch : plan.launches())
    launches.row({std::string(plan.text(launch.label)), gridText(launch.grid),
                  std::to_string(launch.num_buffers)});
  os << launches.str() << "\n";
  if (code) {
    mlir::tiny::printStatistics(os, *code);
    os << "\n";
  }

  os << phaseTable(phases);
  if (artefact.tunedKernels)
    os << "\n"
       << artefact.tunedKernels << " of " << plan.kernels().size()
       << " kernels have tilings that --tune has found\n";
  if (artefact.precision == mlir::tiny::Precision::bf16) {
    os << "\n"
       << artefact.bf16Kernels.size() << " of " << plan.kernels().size()
       << " kernels multiply in bf16" << (artefact.bf16Kernels.empty() ? "" : ": ");
    llvm::interleaveComma(artefact.bf16Kernels, os);
    os << "\n";
  }
  return text;
}

/// Text of a plan may come from anywhere; JSON is UTF-8.
static std::string utf8(std::string_view text) {
  return llvm::json::fixUTF8(llvm::StringRef(text.data(), text.size()));
}

static llvm::json::Array sizes(llvm::ArrayRef<int64_t> shape) {
  llvm::json::Array array;
  for (int64_t size : shape)
    array.push_back(size);
  return array;
}

static llvm::json::Array tensorsJson(const PlanView &plan,
                                     tinyrt::PlanRange<tiny_plan_tensor> tensors) {
  llvm::json::Array array;
  for (const tiny_plan_tensor &tensor : tensors) {
    tinyrt::TensorType type = plan.type(tensor);
    array.push_back(llvm::json::Object{{"name", utf8(plan.text(tensor.name))},
                                       {"element", tinyrt::name(type.element)},
                                       {"shape", sizes(type.shape)},
                                       {"bytes", uint64_t(type.bytes())}});
  }
  return array;
}

std::string tinyrun::reportJson(const mlir::tiny::Artefact &artefact,
                                const mlir::tiny::Target &peaks,
                                const std::vector<CompilerPhase> &phases,
                                const mlir::tiny::CodeObjectStatistics *code) {
  const PlanView &plan = artefact.plan.view();
  const tiny_plan &header = plan.header();
  llvm::json::Array launches, compile;
  for (const tiny_plan_launch &launch : plan.launches()) {
    llvm::json::Array buffers;
    for (const tiny_plan_buffer &buffer : plan.buffersOf(launch))
      buffers.push_back(llvm::json::Object{
          {"segment", tinyrt::name(static_cast<tinyrt::Segment>(buffer.segment))},
          {"index", buffer.index},
          {"offset", buffer.offset},
          {"bytes", buffer.bytes}});
    launches.push_back(llvm::json::Object{
        {"kernel", utf8(plan.text(plan.kernels()[launch.kernel].name))},
        {"label", utf8(plan.text(launch.label))},
        {"grid", llvm::json::Array{launch.grid[0], launch.grid[1], launch.grid[2]}},
        {"buffers", std::move(buffers)}});
  }
  for (const CompilerPhase &phase : phases)
    compile.push_back(llvm::json::Object{{"phase", phase.name}, {"seconds", phase.seconds}});
  llvm::json::Object report{
      {"entry", utf8(plan.entry())},
      {"kernels", uint64_t(plan.kernels().size())},
      {"tunedKernels", artefact.tunedKernels},
      {"inputs", tensorsJson(plan, plan.inputs())},
      {"outputs", tensorsJson(plan, plan.outputs())},
      {"launches", std::move(launches)},
      {"cost", mlir::tiny::costToJson(*artefact.cost, peaks)},
      {"memory", llvm::json::Object{{"arguments", bytesOf(plan, plan.inputs())},
                                    {"results", bytesOf(plan, plan.outputs())},
                                    {"constants", header.constants_bytes},
                                    {"state", header.state_bytes},
                                    {"workspace", header.workspace_bytes},
                                    {"all", memoryNeeded(plan)}}},
      {"compile", std::move(compile)}};
  if (artefact.precision == mlir::tiny::Precision::bf16)
    report["bf16Kernels"] = llvm::json::Array(artefact.bf16Kernels);
  if (code)
    report["code"] = mlir::tiny::statisticsToJson(*code);
  std::string text;
  llvm::raw_string_ostream(text) << llvm::formatv("{0:2}\n", llvm::json::Value(std::move(report)));
  return text;
}
