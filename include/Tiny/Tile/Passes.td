//===- Passes.td - the passes of the Tile stage ------------*- tablegen -*-===//
//
// In the order in which the pipeline runs them; the last one is the other way out of the
// stage. All but tiny-tile-map-grid work on one function, so that kernels are tiled in
// parallel, and leave functions without `tiny.kernel` alone.
//
//===----------------------------------------------------------------------===//

#ifndef TINY_TILE_PASSES_TD
#define TINY_TILE_PASSES_TD

include "mlir/Pass/PassBase.td"

def DecomposeOnlineReductionsPass : Pass<"tiny-tile-decompose-online-reductions",
                                         "::mlir::func::FuncOp"> {
  let summary = "Turn online reductions into nests in a loop over blocks";
  let description = [{
    Each block of the reducing loop is one step of `tiny.online_reduce`, written as nests: the maximum
    of the block's scores, the new pivot, the weights, the factor by which the sums shrink, the sums,
    which stay in place. What computes an input of a block only (the scores of attention) is moved into
    the loop. What does not divide is one more, smaller block behind the loop.

    ```mlir
    %r:2 = tiny.online_reduce over 1 maps … ins(%s : tensor<8x4096xf32>) outs(%m0, %l0 : …) …
    // becomes
    %r:2 = scf.for %k = %c0 to %c4096 step %c512 iter_args(%m = %m0, %l = %l0) -> (…) {
      %s = linalg.generic …           // the scores of the block, a tensor<8x512xf32>
      %b = linalg.generic …           // their maximum, and that and %m
      %w = linalg.generic …           // the weights
      …
    }
    ```
  }];
  let options = [
    Option<"blockBytes", "block-bytes", "int64_t", "131072",
           "Bytes that the inputs of one block have, for one point of the pivot; 0 for one block">
  ];
  let dependentDialects = ["::mlir::affine::AffineDialect", "::mlir::arith::ArithDialect",
                           "::mlir::linalg::LinalgDialect", "::mlir::scf::SCFDialect",
                           "::mlir::tensor::TensorDialect"];
}

def SelectTilingCPUPass : Pass<"tiny-tile-select-tiling-cpu", "::mlir::func::FuncOp"> {
  let summary = "Choose grid, register and vector tiles for a CPU";
  let description = [{
    Sets `tiny.tiling` on a kernel that has none, a list of one tiling per nest. In a nest, every loop
    is tried as the vector loop, with every register tile that fits the registers, and the cheapest is
    kept. The cost is counted from the access maps: along the vector loop an access is invariant (one
    scalar load and a broadcast), contiguous, shuffled (small stride) or gathered, and an unrolled
    loop repeats only the accesses that depend on it. Where an operand is contiguous along another loop
    than the result, a tile of as many steps of that loop as there are lanes is priced as a square that is
    transposed in registers.

    Where locals connect several nests, the workgroup comes first: the loops that the nests share are
    divided until there are workgroups for all threads, what one of them reads fits half of the second
    cache, and what its nests hand to one another half of the first one; whole register tiles go
    before the latter. Other loops are whole in each workgroup. Locals that do not fit the stack are
    an error.

    A sum of products is cut into panels where that is cheaper:
    `{tile = array<i64: 192, 128>, depth = 256, registers = array<i64: 6, 2>, lanes = 8,
    packed = array<i64: 0, 1>}` says the rows and columns of a workgroup, the steps of the reduction
    after which sums are put aside, the rows and vectors of columns whose sums are in registers, and
    which of the two factors are brought into order first. Beside other nests it has a `grid`, too, the
    workgroup's part of each parallel loop: the one with which all nests together are cheapest, among
    those whose locals fit the stack. An elementwise nest that is the last one to read a local of the
    size of its result writes over it.

    Factors that are integers which 16 bits hold (8 bits without a zero point, say) go into panels as
    pairs, two steps of the depth in 32 bits, which the target multiplies and adds up at once:
    `dot = 2` is in the tiling then, and `depth` counts pairs. Those that differ by less than 2^8 may be
    packed in fours, `dot = 4`, if the target has `byte-products`. With `bf16-products`, factors of f32 may
    be pairs of bf16, to which packing rounds them: that is one more choice, at its cost. With
    `matrix-unit`, both may be multiplied in tiles of 16 x 16 sums, which `tiles` says: `registers` are
    16 or 32 rows then, in one or two columns of tiles, and a block of the depth is whole tiles.

    ```mlir
    func.func private @k(%a: tensor<64x64xf32>, …) attributes {tiny.kernel}
    // becomes
    func.func private @k(%a: tensor<64x64xf32>, …) attributes {tiny.kernel,
      tiny.tiling = [#tiny.tiling<grid = [16, 64], vector = 1 by 8, unroll = [4, 2, 1], order = [1, 0, 2]>]}
    ```
  }];
  let options = [
    Option<"vectorBits", "vector-bits", "unsigned", "256", "Bits of one vector register">,
    Option<"numVectorRegisters", "num-vector-registers", "unsigned", "16",
           "Vector registers of the target">,
    Option<"minWork", "min-work", "int64_t", "32768",
           "Scalar operations that one workgroup has at least, if the kernel has as many">,
    Option<"maxWorkgroups", "max-workgroups", "int64_t", "64",
           "Workgroups after which a kernel is not divided further">,
    Option<"l1Bytes", "l1-bytes", "int64_t", "32768", "Bytes of the first-level data cache">,
    Option<"l2Bytes", "l2-bytes", "int64_t", "1048576", "Bytes of the second-level cache">,
    Option<"maxLocalBytes", "max-local-bytes", "int64_t", "262144",
           "Bytes that the locals of one workgroup may have, on its stack">,
    Option<"panels", "panels", "bool", "true",
           "Whether contractions may be cut into panels">,
    Option<"pairInstructions", "pair-instructions", "unsigned", "2",
           "Instructions that multiply vectors of pairs of i16 and add them to sums, 0 for none">,
    Option<"byteProducts", "byte-products", "bool", "false",
           "Whether one instruction multiplies vectors of four u8 and four i8 and adds them to sums">,
    Option<"halvesVectors", "halves-vectors", "bool", "false",
           "Whether the widest vectors go through the units in two halves">,
    Option<"bf16Products", "bf16-products", "bool", "false",
           "Whether contractions of f32 may round their factors to bf16 and multiply these">,
    Option<"matrixUnit", "matrix-unit", "bool", "false",
           "Whether there is a unit that multiplies tiles of bytes, and of bf16: AMX">
  ];
  let dependentDialects = ["::mlir::tiny::TinyDialect"];
}

def ArrangeConstantsPass : Pass<"tiny-tile-arrange-constants", "::mlir::ModuleOp"> {
  let summary = "Let constants lie in memory as the matrix unit reads them";
  let description = [{
    A constant factor of a contraction that is worth the matrix unit gets its depth innermost, if all
    kernels that read it and all launches of these agree: the kernel's argument and its map change, and
    the constant says how it lies in memory. Its value stays as it is; it is permuted while it is copied
    to the constants segment.

    ```mlir
    %w = tiny.constant dense_resource<w> : tensor<128x64xf16>
    // becomes
    %w = tiny.constant {tiny.layout = {order = array<i64: 1, 0>, shape = array<i64: 128, 64>}} …
    // and its kernel, which read `(m, n, k) -> (k, n)` of tensor<128x64xf16>,
    // reads `(m, n, k) -> (n, k)` of tensor<64x128xf16>
    ```
  }];
  let options = [
    Option<"chip", "chip", "std::string", [{"gfx1100"}], "The chip, a row of Tiny/Target.h">
  ];
}

def ArrangePanelsPass : Pass<"tiny-tile-arrange-panels", "::mlir::ModuleOp"> {
  let summary = "Let constants lie in memory in the panels in which a CPU multiplies them";
  let description = [{
    A constant right factor of a contraction that is cheapest in panels lies in these panels, if all
    kernels that read it and all launches of these agree and its columns are whole panels. The kernel
    reads it by a `tiny.read` then, and the constant says how it lies in memory. Its value stays as it
    is; it is permuted while it is copied to the constants segment, and takes no more memory.

    ```mlir
    %w = tiny.constant dense_resource<w> : tensor<128x256xf32>
    // becomes
    %w = tiny.constant {tiny.layout = {order = array<i64: 1, 0, 2>, shape = array<i64: 128, 8, 32>}} …
    // and its kernel, which read `(m, n, k) -> (k, n)` of tensor<128x256xf32>,
    // reads `(m, n, k) -> (n floordiv 32, k, n mod 32)` of tensor<8x128x32xf32>
    ```
  }];
  let options = [
    Option<"vectorBits", "vector-bits", "unsigned", "256", "Bits of one vector register">,
    Option<"numVectorRegisters", "num-vector-registers", "unsigned", "16",
           "Vector registers of the target">,
    Option<"l1Bytes", "l1-bytes", "int64_t", "32768", "Bytes of the first-level data cache">,
    Option<"l2Bytes", "l2-bytes", "int64_t", "1048576", "Bytes of the second-level cache">,
    Option<"maxLocalBytes", "max-local-bytes", "int64_t", "262144",
           "Bytes that the locals of one workgroup may have, on its stack">,
    Option<"pairInstructions", "pair-instructions", "unsigned", "2",
           "Instructions that multiply vectors of pairs of i16 and add them to sums, 0 for none">,
    Option<"byteProducts", "byte-products", "bool", "false",
           "Whether one instruction multiplies vectors of four u8 and four i8 and adds them to sums">,
    Option<"halvesVectors", "halves-vectors", "bool", "false",
           "Whether the widest vectors go through the units in two halves">,
    Option<"bf16Products", "bf16-products", "bool", "false",
           "Whether contractions of f32 may round their factors to bf16 and multiply these">,
    Option<"matrixUnit", "matrix-unit", "bool", "false",
           "Whether there is a unit that multiplies tiles of bytes, and of bf16: AMX">
  ];
  let dependentDialects = ["::mlir::tiny::TinyDialect"];
}

def ShrinkLocalsPass : Pass<"tiny-tile-shrink-locals", "::mlir::func::FuncOp"> {
  let summary = "Keep locals in their narrow type, and where those lie that nobody needs any more";
  let description = [{
    A workgroup of a GPU has little memory for what its nests hand on, and a matrix unit takes narrow
    factors only. So what is rounded to a narrow type and widened again is kept between the two, and
    widened by its readers; and an elementwise nest writes over the local that it reads last, each
    element where it was. The numbers stay the same.

    ```mlir
    %w = linalg.generic … ins(%s : tensor<8x64xf32>) outs(%e0 : tensor<8x64xf32>) { … math.exp2 … }
    %p = linalg.generic … ins(%w, %l : …) outs(%e1 : tensor<8x64xf32>) {
      … %n = arith.truncf %q : f32 to f16; %x = arith.extf %n : f16 to f32; linalg.yield %x
    }
    // becomes
    %w = linalg.generic … ins(%s : tensor<8x64xf32>) outs(%s : tensor<8x64xf32>) { … math.exp2 … }
    %p = linalg.generic … ins(%w, %l : …) outs(%e1 : tensor<8x64xf16>) { … linalg.yield %n }
    ```
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::linalg::LinalgDialect",
                           "::mlir::tensor::TensorDialect"];
}

def SelectTilingRDNA3Pass : Pass<"tiny-tile-select-tiling-rdna3", "::mlir::func::FuncOp"> {
  let summary = "Choose lanes, vectors and register tiles for an RDNA3 GPU";
  let description = [{
    Sets `tiny.tiling` on a kernel that has none, a list of one `#tiny.gpu_tiling` per nest. In a nest,
    every loop is tried as the one along which lanes are neighbours, with vectors of up to 16 bytes,
    register tiles, and lanes that share a reduction; the time of each is computed from the
    instructions of a wave, the lines of memory or banks of LDS that its accesses touch, and how many
    waves there are for the units of the chip.

    Where locals connect several nests, tiles of their shared loops and numbers of lanes are tried
    together, with as many workgroups at the same time as LDS has room for. Locals that do not fit LDS
    are an error.

    ```mlir
    func.func private @k(%a: tensor<4096xf32>, …) attributes {tiny.kernel}
    // becomes
    func.func private @k(%a: tensor<4096xf32>, …) attributes {tiny.kernel,
      tiny.tiling = [#tiny.gpu_tiling<grid = [4096], lanes = [32], vector = 0 by 4, unroll = [1], order = [0],
                                      contract = none, waves = [1, 1], mode = cu>]}
    ```
  }];
  let options = [
    Option<"chip", "chip", "std::string", [{"gfx1100"}], "The chip, a row of Tiny/Target.h">
  ];
  let dependentDialects = ["::mlir::tiny::TinyDialect"];
}

def FormWorkgroupsPass : Pass<"tiny-tile-form-workgroups", "::mlir::func::FuncOp"> {
  let summary = "Tile a kernel into an scf.forall over its workgroups";
  let description = [{
    Applies the `grid` of `tiny.tiling`: the nests that locals connect are copied, in order, into one
    `scf.forall` over their shared loops, each on the slices that its tile needs; a local has the size
    of the tile. Nests that nothing connects get a loop each. A group of nests that is one workgroup
    stays as it is.

    ```mlir
    %m = linalg.generic … outs(%e : tensor<64xf32>)       // a nest: the maximum of each row
    %o = linalg.generic … ins(%x, %m) outs(%out : tensor<64x64xf32>)
    // becomes
    %o = scf.forall (%i) = (0) to (64) step (16) shared_outs(%t = %out) -> (tensor<64x64xf32>) {
      %e = tensor.empty() : tensor<16xf32>
      %m = linalg.generic … outs(%e : tensor<16xf32>)
      %r = linalg.generic … ins(%xs, %m) -> tensor<16x64xf32>
      scf.forall.in_parallel { tensor.parallel_insert_slice %r into %t[%i, 0] [16, 64] [1, 1] … }
    }
    ```
  }];
  let dependentDialects = ["::mlir::affine::AffineDialect", "::mlir::linalg::LinalgDialect",
                           "::mlir::scf::SCFDialect", "::mlir::tensor::TensorDialect"];
}

def BufferizeKernelsPass : Pass<"tiny-tile-bufferize-kernels", "::mlir::func::FuncOp"> {
  let summary = "Turn a kernel's tensors into buffers, results into destinations";
  let description = [{
    Upstream's one-shot bufferisation inside one kernel. Arguments become memrefs of identity layout
    and results vanish: they were written to their destination arguments in place. Locals are
    allocated on the stack of the workgroup, and so are accumulators and windows, which
    the pass that emits the loops removes. On a GPU, the stack of a workgroup is its LDS
    (`local-memory-space`). A copy that is left is an error.

    ```mlir
    func.func private @k(%a: tensor<4xf32>, %out: tensor<4xf32>) -> tensor<4xf32> {
      %e = tensor.empty() : tensor<4xf32>
    // becomes
    func.func private @k(%a: memref<4xf32>, %out: memref<4xf32>) {
      %e = memref.alloca() {alignment = 64 : i64} : memref<4xf32>
    ```
  }];
  let options = [
    Option<"localMemorySpace", "local-memory-space", "std::string", [{""}],
           "Address space of the gpu dialect that locals are in: workgroup; none for the stack">
  ];
  let dependentDialects = ["::mlir::bufferization::BufferizationDialect",
                           "::mlir::gpu::GPUDialect", "::mlir::memref::MemRefDialect"];
}

def ContractRDNA3Pass : Pass<"tiny-tile-contract-rdna3", "::mlir::func::FuncOp"> {
  let summary = "Emit sums of products as tiles that go through LDS";
  let description = [{
    Replaces the nests whose tiling says `contract = wmma` or `contract = fma` by an `scf.forall` over
    tiles of rows and columns, each of which one workgroup computes, and takes their tilings off the
    kernel's list. Nests that locals connect with others have workgroups already, and are left to
    `tiny-tile-distribute-loops`. Rows are the loops that move one factor and the result, columns those that move the
    other one, so that a convolution is a contraction as a matmul is. With `wmma`, each of the `waves`
    holds sums of 16 by 16 elements; with `fma`, each of the `lanes` holds runs of four rows and four
    columns. Both factors are brought to LDS in steps along the depth, twice buffered: what the next
    step needs is loaded before this one is multiplied, and stored behind it.

    Loads are of 16 bytes where memory is contiguous and aligned along the depth or along rows or
    columns; in the latter case blocks are transposed in registers for `wmma`. What lies outside of a
    tile, of the depth or of a guard is read beyond the end of a buffer resource, which gives 0.

    ```mlir
    scf.forall (%b, %i, %j) in (1, 32, 32) {
      …
      %s:16 = scf.for %k = %c0 to %c126 step %c2 iter_args(%s0 = %zero, …) -> (vector<8xf32>, …) {
        %n0 = amdgpu.raw_buffer_load %a[%o0] sgprOffset %x : memref<16777216xf16>, i32 -> vector<8xf16>
        …
        %a0 = vector.load %lds[%p0] {alignment = 16} : memref<10240xi32, #gpu.address_space<workgroup>>, vector<4xi32>
        …
        %t0 = amdgpu.wmma 16x16x16 %fa0 * %fb0 + %s0 : vector<16xf16>, vector<16xf16>, vector<8xf32>
        …
        vector.store %n0, %lds[%q0] {alignment = 16} : memref<10240xi32, #gpu.address_space<workgroup>>, vector<4xi32>
        amdgpu.lds_barrier
      }
    }
    ```
  }];
  let options = [
    Option<"waveSize", "wave-size", "int64_t", "32", "Lanes of a wave">,
    Option<"maxLocalBytes", "max-local-bytes", "int64_t", "65536", "Bytes of LDS that a workgroup may have">
  ];
  let dependentDialects = ["::mlir::amdgpu::AMDGPUDialect", "::mlir::gpu::GPUDialect",
                           "::mlir::LLVM::LLVMDialect", "::mlir::ROCDL::ROCDLDialect",
                           "::mlir::math::MathDialect", "::mlir::memref::MemRefDialect",
                           "::mlir::scf::SCFDialect", "::mlir::vector::VectorDialect"];
}

def ContractCPUPass : Pass<"tiny-tile-contract-cpu", "::mlir::func::FuncOp"> {
  let summary = "Emit sums of products as register tiles over packed panels";
  let description = [{
    Replaces the nests whose tiling is one in panels by an `scf.forall` over tiles of rows and
    columns, each of which one workgroup computes, and takes their tilings off the kernel's list. A nest
    whose tiling has a `grid` is one of several in a workgroup: its tiles are loops there. Rows
    are the loops that move one factor and the result, columns those that move the other one, so that a
    convolution is a contraction as a matmul is.

    In a workgroup, a block of the depth is packed into panels as wide as the register tile, computed
    from its loads on the way, whatever they are; strips of rows are packed likewise, or read where they
    lie. Then every strip meets every panel. Sums wait in between blocks; behind the last one the
    epilogue takes them from the registers, or, where some of the rows or columns of a tile do not
    exist, from memory.

    With `dot = 2` (or 4), an element of a panel is two factors of 16 (four of 8) bits, and an intrinsic of LLVM is what
    multiplies them: the intrinsics of x86 have no op above. Where the sums are of f32, packing rounds
    the factors to bf16, and the kernel gets `tiny.bf16_products`.

    ```mlir
    scf.forall (%b, %i, %j) in (1, 6, 8) {
      scf.for %k0 = %c0 to %c1024 step %c256 {
        …                                                    // packs 128 columns
        scf.for %r = %c0 to %c192 step %c6 {
          scf.for %c = %c0 to %c128 step %c16 {
            %s:12 = scf.for %k = %c0 to %c256 step %c1 iter_args(%s0 = %zero, …) -> (vector<8xf32>, …) {
              %y0 = vector.load %panels[%p0] : memref<32768xf32>, vector<8xf32>
              %x0 = memref.load %a[%q0] : memref<1048576xf32>
              %v0 = vector.broadcast %x0 : f32 to vector<8xf32>
              %f0 = vector.fma %v0, %y0, %s0 : vector<8xf32>
              …
    ```
  }];
  let options = [
    Option<"hasFma", "has-fma", "bool", "true", "Whether fma is one instruction on the target">,
    Option<"maskedBits", "masked-bits", "unsigned", "32",
           "Bits of the narrowest elements that the target loads under a mask, 0 for none">
  ];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect", "::mlir::amx::AMXDialect",
                           "::mlir::arith::ArithDialect", "::mlir::math::MathDialect",
                           "::mlir::memref::MemRefDialect", "::mlir::scf::SCFDialect", "::mlir::vector::VectorDialect"];
}

def VectorizeLoopsPass : Pass<"tiny-tile-vectorize-loops", "::mlir::func::FuncOp"> {
  let summary = "Emit every nest of a kernel as register-tiled vector loops";
  let description = [{
    Replaces the `linalg` ops of a workgroup by one loop nest after the other, each with its loops in
    the order of its tiling. The register tile
    is a set of vectors: for a reduction they are the accumulators, loop-carried values that never
    touch memory, to which the epilogue is applied before the store. What does not divide becomes
    smaller static vectors. A multiplication that feeds an `add` reduction becomes a fused
    multiply-add; nothing else is contracted.

    An access is a scalar load where the vector loop does not move it, a vector load where it moves by
    one, loads and a shuffle where it moves by a small stride, and otherwise a gather. A register tile
    with `tiny.read` guards exists twice: without them, entered when interval arithmetic shows that
    they all hold, and with them, where a masked lane is never accessed: loads under a mask, and for
    elements that the target has none for, scalars whose place is the first element instead. An index that the body computes
    from data is tested in both, and only a number within the bounds of its guard is calculated with.

    A result that is larger than the last cache is stored past it (`nontemporal`), where whole lines are
    written one behind the other and nothing in the kernel reads them.

    ```mlir
    %acc:12 = scf.for %k = %c0 to %c64 step %c1 iter_args(%a0 = %zero, …) -> (vector<8xf32>, …) {
      %b0 = vector.load %b[%x] : memref<4096xf32>, vector<8xf32>
      %s0 = memref.load %a[%y] : memref<4096xf32>
      %v0 = vector.broadcast %s0 : f32 to vector<8xf32>
      %f0 = vector.fma %v0, %b0, %a0 : vector<8xf32>
      …
    }
    ```
  }];
  let options = [
    Option<"hasFma", "has-fma", "bool", "true", "Whether fma is one instruction on the target">,
    Option<"maskedBits", "masked-bits", "unsigned", "32",
           "Bits of the narrowest elements that the target loads under a mask, 0 for none">,
    Option<"cacheBytes", "cache-bytes", "int64_t", "0",
           "Bytes of the last cache: larger results are stored past it; 0 for none">
  ];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::math::MathDialect",
                           "::mlir::memref::MemRefDialect", "::mlir::scf::SCFDialect",
                           "::mlir::vector::VectorDialect"];
}

def DistributeLoopsPass : Pass<"tiny-tile-distribute-loops", "::mlir::func::FuncOp"> {
  let summary = "Deal the register tiles of every nest out to the lanes of a GPU";
  let description = [{
    Replaces the `linalg` ops of a kernel by the code of one lane. The register tiles of a nest are
    numbered in a row, the vector loop of its tiling fastest, so that neighbours among the lanes are
    neighbours in memory, and lane i of a workgroup has tile i of those that are the workgroup's. A nest
    alone becomes an `scf.forall` over workgroups; nests that locals connect are worked through by all
    lanes of their workgroup, with `gpu.barrier` where one needs another. `tiny.block` is set to the
    lanes of a workgroup.

    Lanes along a reduction loop share a sum: each has strided vectors of it, and they exchange what
    they have by DPP in a wave (`row_xmask`, `v_permlanex16`), and through LDS between waves. One of
    them then has the epilogue.

    A nest that others share a workgroup with may be a contraction too (the products of attention): all
    waves of the workgroup then compute one tile of it after the other, as in
    `tiny-tile-contract-rdna3`. A factor may be a local.

    Where a guard of a `tiny.read` fails, the first element is loaded in place of none and the pad
    selected: no branch, and no access out of bounds.

    ```mlir
    linalg.generic … outs(%out : memref<4096xf32>)     // vector = 0 by 4, lanes = [256]
    // becomes
    %lane = gpu.thread_id x
    scf.forall (%w) in (4) {
      %n = arith.muli %w, %c256
      %tile = arith.addi %n, %lane
      %i = arith.muli %tile, %c4
      %v = vector.load %a[%i] : memref<4096xf32>, vector<4xf32>
      …
    }
    ```
  }];
  let options = [
    Option<"hasFma", "has-fma", "bool", "true", "Whether fma is one instruction on the target">,
    Option<"waveSize", "wave-size", "int64_t", "32", "Lanes of a wave">,
    Option<"maxLocalBytes", "max-local-bytes", "int64_t", "65536", "Bytes of LDS of a workgroup">
  ];
  let dependentDialects = ["::mlir::amdgpu::AMDGPUDialect", "::mlir::arith::ArithDialect",
                           "::mlir::gpu::GPUDialect", "::mlir::LLVM::LLVMDialect",
                           "::mlir::math::MathDialect", "::mlir::memref::MemRefDialect",
                           "::mlir::ROCDL::ROCDLDialect", "::mlir::scf::SCFDialect",
                           "::mlir::vector::VectorDialect"];
}

def MapGridPass : Pass<"tiny-tile-map-grid", "::mlir::ModuleOp"> {
  let summary = "Make the workgroup loops the kernel's grid";
  let description = [{
    The body of the `scf.forall` becomes the kernel's; its induction variables are computed from three
    new index arguments x, y and z (the last loop is x, so that neighbours in memory are neighbours in
    the grid; loops beyond three share z). `grid` is set on every launch of the kernel.

    ```mlir
    scf.forall (%i) = (0) to (64) step (16) { … }
    // becomes, in a kernel launched with grid = array<i64: 4, 1, 1>
    %i = affine.apply affine_map<(d0) -> (d0 * 16)>(%x)
    …
    ```

    The workgroups of several loops, which are side by side, are counted by x one after the other, each
    loop's body in an `scf.if` on x. What stands outside of them is one more workgroup.
  }];
  let dependentDialects = ["::mlir::affine::AffineDialect", "::mlir::arith::ArithDialect",
                           "::mlir::scf::SCFDialect"];
}

def LowerToAffinePass : Pass<"tiny-tile-lower-to-affine", "::mlir::func::FuncOp"> {
  let summary = "Turn a kernel on tensors into affine loops on memrefs";
  let description = [{
    Takes any kernel of the Schedule stage, without a tiling. The loops that its nests share, and
    those of a single nest, become one `affine.parallel`; the other parallel loops one more inside of
    it, and the reduction loops `affine.for` ops that carry the accumulator. A local is a buffer of
    what one iteration of the shared loops needs, or a value if that is one element.

    Operands become `affine.load`, and so does a `tiny.read`, whose guards become `affine.if`: those
    that always hold are left out, and one with another pad value is nested. Where the body computes
    an index from data, the read is a `memref.load` in an `scf.if`.

    ```mlir
    func.func private @k(%a: tensor<8x4xf32>, %b: tensor<4x16xf32>, %out: tensor<8x16xf32>) -> …
    // becomes
    func.func private @k(%a: memref<8x4xf32>, %b: memref<4x16xf32>, %out: memref<8x16xf32>) … {
      affine.parallel (%i, %j) = (0, 0) to (8, 16) {
        %sum = affine.for %k = 0 to 4 iter_args(%acc = %zero) -> (f32) {
          %x = affine.load %a[%i, %k] : memref<8x4xf32>
          %y = affine.load %b[%k, %j] : memref<4x16xf32>
          …
        }
        affine.store %sum, %out[%i, %j] : memref<8x16xf32>
      }
      return
    }
    ```
  }];
  let dependentDialects = ["::mlir::affine::AffineDialect", "::mlir::arith::ArithDialect",
                           "::mlir::memref::MemRefDialect", "::mlir::scf::SCFDialect"];
}

#endif // TINY_TILE_PASSES_TD
