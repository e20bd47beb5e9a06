//===- CodeObjectReport.cpp - print the statistics of a code object -------===//
//
// A table for people, an object for programs. Nothing is counted here. Columns in
// which nothing occurs are left out.
//
//===----------------------------------------------------------------------===//

#include "Tiny/Compiler/CodeObject.h"
#include "Tiny/Schedule/TextTable.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir::tiny;
using Kind = InstructionKind;

static double share(uint64_t part, uint64_t whole) {
  return whole ? 100.0 * double(part) / double(whole) : 0;
}

//===----------------------------------------------------------------------===//
// Text
//===----------------------------------------------------------------------===//

/// "4x128 2x32": how many accesses of how many bits.
static std::string accesses(const InstructionMix &mix, Kind kind) {
  std::string text;
  for (auto &[key, count] : llvm::reverse(mix.widths))
    if (key.first == kind)
      text += (text.empty() ? "" : " ") + std::to_string(count) + "x" +
              (key.second ? std::to_string(key.second) : "?");
  return text.empty() ? "0" : text;
}

static void printKernels(llvm::raw_ostream &os, const CodeObjectStatistics &statistics) {
  TextTable table;
  table.row({"code for " + std::string(statistics.target->name), "lanes", "VGPRs", "SGPRs",
             "spilled", "LDS", "scratch", "code", "waves/SIMD", "by VGPRs", "by LDS", "mode"});
  for (const KernelStatistics &kernel : statistics.kernels) {
    const tinyrt::KernelMetadata &data = kernel.metadata;
    const Occupancy &occupancy = kernel.occupancy();
    table.row({data.name, grouped(data.maxWorkgroupSize), grouped(data.vectorRegisters),
               grouped(data.scalarRegisters),
               grouped(uint64_t(data.vectorSpills) + data.scalarSpills), grouped(data.groupBytes),
               grouped(data.privateBytes), grouped(kernel.codeBytes), grouped(occupancy.waves),
               grouped(occupancy.byRegisters), grouped(occupancy.byLds),
               std::string(data.wgpMode ? "WGP" : "CU") + (data.waveSize == 64 ? " wave64" : "")});
  }
  table.print(os, /*endsInText=*/true);
}

static void printLoops(llvm::raw_ostream &os, const CodeObjectStatistics &statistics) {
  std::vector<const KernelStatistics *> withLoops;
  for (const KernelStatistics &kernel : statistics.kernels)
    if (!kernel.loops.empty())
      withLoops.push_back(&kernel);
  if (withLoops.empty()) {
    os << "loops: none\n";
    return;
  }
  TextTable table;
  std::vector<std::string> title{"hottest loop"};
  std::vector<std::vector<std::string>> rows;
  for (const KernelStatistics *kernel : withLoops)
    rows.push_back({kernel->metadata.name});
  auto column = [&](const std::string &name, auto cell) {
    std::vector<std::string> cells;
    for (const KernelStatistics *kernel : withLoops)
      cells.push_back(cell(kernel->loops.front()));
    if (llvm::all_of(cells, [](const std::string &text) { return text == "0" || text == "-"; }))
      return;
    title.push_back(name);
    for (auto [row, text] : llvm::zip(rows, cells))
      row.push_back(text);
  };
  auto counted = [&](const std::string &name, std::initializer_list<Kind> kinds) {
    column(name, [&](const InnerLoop &loop) {
      uint64_t sum = 0;
      for (Kind kind : kinds)
        sum += loop.mix[kind];
      return grouped(sum);
    });
  };
  column("at", [](const InnerLoop &loop) {
    return "+0x" + llvm::utohexstr(loop.offset, /*LowerCase=*/true);
  });
  column("depth", [](const InnerLoop &loop) { return grouped(loop.depth); });
  column("work", [](const InnerLoop &loop) { return grouped(loop.mix.working()); });
  counted("wmma", {Kind::wmma});
  column("%", [](const InnerLoop &loop) {
    return loop.mix[Kind::wmma] ? decimal("%.1f", share(loop.mix[Kind::wmma], loop.mix.working()))
                                : "-";
  });
  counted("vopd", {Kind::vopd});
  column("%", [](const InnerLoop &loop) {
    return loop.mix[Kind::vopd] ? decimal("%.1f", share(loop.mix[Kind::vopd], loop.mix.working()))
                                : "-";
  });
  column("dual fma", [](const InnerLoop &loop) { return grouped(loop.mix.dualFmas); });
  column("conflicts", [](const InnerLoop &loop) { return grouped(loop.mix.bankConflicts); });
  column("reused", [](const InnerLoop &loop) { return grouped(loop.mix.reusedOperands); });
  counted("fma", {Kind::fma});
  counted("trans", {Kind::transcendental});
  counted("valu", {Kind::valu});
  counted("salu", {Kind::salu});
  for (auto [name, kind] :
       {std::pair("scalar loads", Kind::scalarLoad), std::pair("loads", Kind::globalLoad),
        std::pair("stores", Kind::globalStore), std::pair("atomics", Kind::globalAtomic),
        std::pair("LDS loads", Kind::ldsLoad), std::pair("LDS stores", Kind::ldsStore),
        std::pair("scratch", Kind::scratch)})
    column(name, [kind = kind](const InnerLoop &loop) { return accesses(loop.mix, kind); });
  counted("LDS other", {Kind::ldsOther});
  counted("barriers", {Kind::barrier});
  counted("branches", {Kind::branch});
  counted("other", {Kind::control});
  counted("waits", {Kind::wait});
  counted("hints", {Kind::clause, Kind::delay, Kind::nop});

  table.row(title);
  for (std::vector<std::string> &row : rows)
    table.row(std::move(row));
  table.print(os);
}

void mlir::tiny::printStatistics(llvm::raw_ostream &os, const CodeObjectStatistics &statistics) {
  printKernels(os, statistics);
  os << "\n";
  printLoops(os, statistics);
}

//===----------------------------------------------------------------------===//
// JSON
//===----------------------------------------------------------------------===//

static llvm::json::Object mixToJson(const InstructionMix &mix) {
  llvm::json::Object kinds, widths;
  for (size_t i = 0; i < kNumInstructionKinds; ++i)
    kinds[llvm::StringRef(name(static_cast<Kind>(i)))] = mix.counts[i];
  for (auto &[key, count] : mix.widths)
    widths[std::string(name(key.first)) + "_b" + std::to_string(key.second)] = count;
  return llvm::json::Object{
      {"instructions", mix.all()},
      {"working", mix.working()},
      {"kinds", std::move(kinds)},
      {"accesses", std::move(widths)},
      {"wmma_percent", share(mix[Kind::wmma], mix.working())},
      {"wmma_percent_of_all", share(mix[Kind::wmma], mix.all())},
      {"vopd_percent", share(mix[Kind::vopd], mix.working())},
      {"dual_fmas", mix.dualFmas},
      {"dual_fma_percent", share(mix.dualFmas, mix.dualFmas + mix[Kind::fma])},
      {"bank_conflicts", mix.bankConflicts},
      {"reused_operands", mix.reusedOperands}};
}

static llvm::json::Object occupancyToJson(const Occupancy &occupancy) {
  return llvm::json::Object{{"waves_per_simd", occupancy.waves},
                            {"by_registers", occupancy.byRegisters},
                            {"by_lds", occupancy.byLds}};
}

llvm::json::Object mlir::tiny::statisticsToJson(const CodeObjectStatistics &statistics) {
  llvm::json::Array kernels;
  for (const KernelStatistics &kernel : statistics.kernels) {
    const tinyrt::KernelMetadata &data = kernel.metadata;
    llvm::json::Array loops;
    for (const InnerLoop &loop : kernel.loops) {
      llvm::json::Object object = mixToJson(loop.mix);
      object["offset"] = loop.offset;
      object["depth"] = loop.depth;
      loops.push_back(std::move(object));
    }
    kernels.push_back(llvm::json::Object{{"name", llvm::json::fixUTF8(data.name)},
                                         {"wave_size", data.waveSize},
                                         {"lanes", data.maxWorkgroupSize},
                                         {"mode", data.wgpMode ? "wgp" : "cu"},
                                         {"vgprs", data.vectorRegisters},
                                         {"sgprs", data.scalarRegisters},
                                         {"spilled_vgprs", data.vectorSpills},
                                         {"spilled_sgprs", data.scalarSpills},
                                         {"lds_bytes", data.groupBytes},
                                         {"scratch_bytes", data.privateBytes},
                                         {"dynamic_stack", data.dynamicStack},
                                         {"code_bytes", kernel.codeBytes},
                                         {"occupancy_cu", occupancyToJson(kernel.cuMode)},
                                         {"occupancy_wgp", occupancyToJson(kernel.wgpMode)},
                                         {"code", mixToJson(kernel.mix)},
                                         {"loops", std::move(loops)}});
  }
  return llvm::json::Object{{"chip", llvm::StringRef(statistics.target->name)},
                            {"kernels", std::move(kernels)}};
}
