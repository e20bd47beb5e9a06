//===- BufferAddress.h - accesses as a GPU addresses them -------*- C++ -*-===//

#ifndef TINY_LIB_CODEGEN_BUFFERADDRESS_H
#define TINY_LIB_CODEGEN_BUFFERADDRESS_H

#include "mlir/Conversion/LLVMCommon/TypeConverter.h"
#include "mlir/IR/PatternMatch.h"

namespace mlir::tiny {

/// Lowerings of loads and stores of `memref` and `vector` that go before upstream's by `benefit`.
void populateBufferAccessPatterns(const LLVMTypeConverter &converter, RewritePatternSet &patterns,
                                  PatternBenefit benefit);

} // namespace mlir::tiny

#endif // TINY_LIB_CODEGEN_BUFFERADDRESS_H
