//===- SplitAddresses.cpp - addresses as a buffer access has them ---------===//
//
// In a loop, LLVM keeps an address in two vector registers per access and adds 64
// bits to each in every iteration: its loop strength reduction knows sums, and not
// which part of one all lanes share. A buffer access (RDNA3 ISA, section 9) takes
// that part as an operand of its own: base + scalar offset + vector offset + 12 bits of
// constant. So no pass can mix them up again, and an iteration costs one scalar
// addition. Where all lanes read one address the scalar unit does, and there is
// nothing to split.
//
// Runs behind LLVM's pipeline, on the addresses that BufferAddress.cpp of Codegen has
// made: unsigned offsets of 32 bits that do not overflow.
//
//===----------------------------------------------------------------------===//

#include "SplitAddresses.h"

#include "llvm/Analysis/LoopInfo.h"
#include "llvm/Analysis/UniformityAnalysis.h"
#include "llvm/IR/IRBuilder.h"
#include "llvm/IR/Instructions.h"
#include "llvm/IR/IntrinsicsAMDGPU.h"
#include "llvm/IR/PatternMatch.h"
#include "llvm/Transforms/Utils/Local.h"

using namespace llvm;
using mlir::tiny::SplitAddressesPass;

namespace {
constexpr unsigned kGlobalSpace = 1;
/// Bytes that the constant of the instruction reaches.
constexpr uint64_t kConstantRange = 4096;
/// The last word of a buffer's descriptor: bytes, checked against the size of the buffer (RDNA3
/// ISA, section 9.1; as amdgpu.fat_raw_buffer_cast has it).
constexpr uint32_t kRawBuffer = 0x31027000;

/// value * factor.
struct Term {
  Value *value;
  uint64_t factor;
};

/// A sum of terms without overflow.
struct Offset {
  SmallVector<Term> uniform, divergent;
  uint64_t constant = 0;
};

class Splitter {
public:
  Splitter(Function &function, FunctionAnalysisManager &analyses)
      : function(function), uniformity(analyses.getResult<UniformityInfoAnalysis>(function)),
        loops(analyses.getResult<LoopAnalysis>(function)), layout(function.getDataLayout()) {}

  bool run();

private:
  /// The buffer of `pointer`, which is an argument of known size, and the offset into it. Null if
  /// it is not of that form.
  Argument *match(Value *pointer, Offset &offset) const;
  void decompose(Value *value, uint64_t factor, Offset &offset) const;
  Value *sum(IRBuilder<> &b, ArrayRef<Term> terms, uint64_t constant) const;
  Value *descriptor(Argument *buffer);
  bool split(Instruction *access);
  bool isUniform(Value *value) const {
    return uniformity.isUniform(value) && !loaded.contains(value);
  }

  Function &function;
  const UniformityInfo &uniformity;
  const LoopInfo &loops;
  const DataLayout &layout;
  DenseMap<Argument *, Value *> descriptors;
  /// What this pass has put in the place of a value that differs between lanes.
  DenseSet<Value *> loaded;
};
} // namespace

void Splitter::decompose(Value *value, uint64_t factor, Offset &offset) const {
  using namespace llvm::PatternMatch;
  Value *x, *y;
  uint64_t number;
  if (PatternMatch::match(value, m_ConstantInt(number))) {
    offset.constant += number * factor;
  } else if (isUniform(value)) {
    offset.uniform.push_back({value, factor});
  } else if (PatternMatch::match(value, m_NUWAdd(m_Value(x), m_Value(y))) ||
             PatternMatch::match(value, m_DisjointOr(m_Value(x), m_Value(y)))) {
    decompose(x, factor, offset);
    decompose(y, factor, offset);
  } else if (PatternMatch::match(value, m_NUWShl(m_Value(x), m_ConstantInt(number))) &&
             number < 32) {
    decompose(x, factor << number, offset);
  } else if (PatternMatch::match(value, m_NUWMul(m_Value(x), m_ConstantInt(number)))) {
    decompose(x, factor * number, offset);
  } else {
    offset.divergent.push_back({value, factor});
  }
}

Argument *Splitter::match(Value *pointer, Offset &offset) const {
  while (auto *gep = dyn_cast<GEPOperator>(pointer)) {
    if (gep->getNumIndices() != 1 || !gep->getSourceElementType()->isIntegerTy(8))
      return nullptr;
    Value *index = gep->getOperand(1);
    if (auto *constant = dyn_cast<ConstantInt>(index); constant && !constant->isNegative())
      offset.constant += constant->getZExtValue();
    else if (auto *extended = dyn_cast<ZExtInst>(index);
             extended && extended->getSrcTy()->isIntegerTy(32))
      decompose(extended->getOperand(0), 1, offset);
    else
      return nullptr;
    pointer = gep->getPointerOperand();
  }
  auto *buffer = dyn_cast<Argument>(pointer);
  if (!buffer || buffer->getType()->getPointerAddressSpace() != kGlobalSpace)
    return nullptr;
  uint64_t bytes = buffer->getDereferenceableBytes();
  return bytes > 0 && bytes <= INT32_MAX ? buffer : nullptr;
}

Value *Splitter::sum(IRBuilder<> &b, ArrayRef<Term> terms, uint64_t constant) const {
  Value *result = nullptr;
  for (const Term &term : terms) {
    Value *product = term.value;
    if (term.factor != 1)
      product = b.CreateNUWMul(product, b.getInt32(static_cast<uint32_t>(term.factor)));
    result = result ? b.CreateNUWAdd(result, product) : product;
  }
  if (!result)
    return b.getInt32(static_cast<uint32_t>(constant));
  return constant ? b.CreateNUWAdd(result, b.getInt32(static_cast<uint32_t>(constant))) : result;
}

Value *Splitter::descriptor(Argument *buffer) {
  Value *&result = descriptors[buffer];
  if (!result) {
    IRBuilder<> b(&*function.getEntryBlock().getFirstInsertionPt());
    result = b.CreateIntrinsic(
        Intrinsic::amdgcn_make_buffer_rsrc, {b.getPtrTy(/*AddrSpace=*/8), buffer->getType()},
        {buffer, b.getInt16(0), b.getInt64(buffer->getDereferenceableBytes()),
         b.getInt32(kRawBuffer)});
  }
  return result;
}

/// The type of registers in which a buffer access has `bits`; null if there is no such access.
static Type *registersOf(LLVMContext &context, uint64_t bits) {
  Type *word = Type::getInt32Ty(context);
  switch (bits) {
  case 8:
  case 16:
  case 32:
    return Type::getIntNTy(context, bits);
  case 64:
  case 96:
  case 128:
    return FixedVectorType::get(word, bits / 32);
  default:
    return nullptr;
  }
}

/// Whether instruction selection may find a constant in `value` that it moves to the instruction.
/// What is left in the vector offset could be negative then, and the hardware takes that for a
/// place behind the buffer, even if the sum is within (SITargetLowering::splitBufferOffsets says as
/// much and avoids it for constants that do not fit). The sums that decompose() takes apart have no
/// negative part.
static bool mayHideConstant(Value *value, unsigned depth = 0) {
  auto *op = dyn_cast<BinaryOperator>(value);
  if (!op)
    return false;
  if (depth == 8) // deeper than any combination looks
    return false;
  switch (op->getOpcode()) {
  case Instruction::Add:
  case Instruction::Or:
    if (isa<ConstantInt>(op->getOperand(1)))
      return true;
    [[fallthrough]];
  case Instruction::Sub:
    return mayHideConstant(op->getOperand(0), depth + 1) ||
           mayHideConstant(op->getOperand(1), depth + 1);
  case Instruction::Mul:
  case Instruction::Shl:
    return mayHideConstant(op->getOperand(0), depth + 1);
  default:
    return false;
  }
}

bool Splitter::split(Instruction *access) {
  Value *pointer = getLoadStorePointerOperand(access);
  Type *type = getLoadStoreType(access);
  if (pointer->getType()->getPointerAddressSpace() != kGlobalSpace || access->isVolatile() ||
      access->isAtomic() || isUniform(pointer))
    return false;
  uint64_t bits = layout.getTypeSizeInBits(type);
  Type *registers = registersOf(function.getContext(), bits);
  // Types with padding bits (i1) have none here.
  if (!registers || bits != layout.getTypeStoreSizeInBits(type) ||
      getLoadStoreAlignment(access).value() < std::min<uint64_t>(bits / 8, 4))
    return false;
  Offset offset;
  Argument *buffer = match(pointer, offset);
  if (!buffer ||
      llvm::any_of(offset.divergent, [](const Term &term) { return mayHideConstant(term.value); }))
    return false;

  IRBuilder<> b(access);
  // The constant of the instruction is what is added to the vector offset last.
  uint64_t constant = offset.constant % kConstantRange;
  Value *lane = sum(b, offset.divergent, constant);
  Value *shared = sum(b, offset.uniform, offset.constant - constant);
  bool isStreaming = access->hasMetadata(LLVMContext::MD_nontemporal);
  Value *cache = b.getInt32(isStreaming ? 2 : 0); // SLC
  if (auto *store = dyn_cast<StoreInst>(access)) {
    Value *value = b.CreateBitCast(store->getValueOperand(), registers);
    b.CreateIntrinsic(Intrinsic::amdgcn_raw_ptr_buffer_store, {registers},
                      {value, descriptor(buffer), lane, shared, cache});
  } else {
    Value *value = b.CreateIntrinsic(Intrinsic::amdgcn_raw_ptr_buffer_load, {registers},
                                     {descriptor(buffer), lane, shared, cache});
    value = b.CreateBitCast(value, type);
    loaded.insert(value);
    access->replaceAllUsesWith(value);
  }
  access->eraseFromParent();
  RecursivelyDeleteTriviallyDeadInstructions(pointer);
  return true;
}

bool Splitter::run() {
  SmallVector<Instruction *> accesses;
  for (BasicBlock &block : function)
    if (loops.getLoopFor(&block))
      for (Instruction &instruction : block)
        if (isa<LoadInst, StoreInst>(instruction))
          accesses.push_back(&instruction);
  bool changed = false;
  for (Instruction *access : accesses)
    changed |= split(access);
  return changed;
}

PreservedAnalyses SplitAddressesPass::run(Function &function, FunctionAnalysisManager &analyses) {
  if (function.getCallingConv() != CallingConv::AMDGPU_KERNEL ||
      !Splitter(function, analyses).run())
    return PreservedAnalyses::all();
  PreservedAnalyses preserved;
  preserved.preserveSet<CFGAnalyses>();
  return preserved;
}
