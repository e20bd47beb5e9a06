//===- OnnxOps.cpp - which handler imports which operator -----------------===//
//
// The tables of all families as one map.
//
//===----------------------------------------------------------------------===//

#include "OnnxNode.h"

using namespace mlir;
using namespace mlir::tiny;

/// All rows of an operator of the default domain.
static ArrayRef<OnnxEntry> rowsOf(StringRef op) {
  static const auto *entries = [] {
    const std::pair<ArrayRef<OnnxRow>, Half> families[] = {
        {onnxContractionRows(), Half::widen},  {onnxControlRows(), Half::exact},
        {onnxElementwiseRows(), Half::widen},  {onnxIndexRows(), Half::follow},
        {onnxMovementRows(), Half::follow},    {onnxNormalizationRows(), Half::widen},
        {onnxQuantizationRows(), Half::exact}, {onnxRecurrentRows(), Half::widen},
        {onnxReductionRows(), Half::widen},    {onnxResizeRows(), Half::widen},
        {onnxShapeRows(), Half::exact}};
    auto *map = new llvm::StringMap<SmallVector<OnnxEntry, 2>>();
    for (auto [rows, half] : families)
      for (const OnnxRow &row : rows)
        (*map)[row.op].push_back({&row, half});
    return map;
  }();
  auto it = entries->find(op);
  return it == entries->end() ? ArrayRef<OnnxEntry>() : ArrayRef<OnnxEntry>(it->second);
}

bool mlir::tiny::isDefaultDomain(StringRef domain) { return domain.empty() || domain == "ai.onnx"; }

bool mlir::tiny::knowsOnnxOp(const onnx::NodeProto &node) {
  return isDefaultDomain(node.domain()) && !rowsOf(node.op_type()).empty();
}

const OnnxEntry *mlir::tiny::findOnnxEntry(const onnx::NodeProto &node, int64_t opset) {
  if (isDefaultDomain(node.domain()))
    for (const OnnxEntry &entry : rowsOf(node.op_type()))
      if (entry.row->since <= opset && opset <= entry.row->until)
        return &entry;
  return nullptr;
}
