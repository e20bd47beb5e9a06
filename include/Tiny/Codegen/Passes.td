//===- Passes.td - passes of the Codegen stage -------------*- tablegen -*-===//

#ifndef TINY_CODEGEN_PASSES_TD
#define TINY_CODEGEN_PASSES_TD

include "mlir/Pass/PassBase.td"

def AnnotateAliasesPass : Pass<"tiny-codegen-annotate-aliases", "::mlir::ModuleOp"> {
  let summary = "Mark the buffers of kernels that no launch lets overlap";
  let description = [{
    Whether two buffers of a kernel may overlap is known exactly: the launches say where they lie.
    A buffer gets `llvm.noalias` unless some launch of its kernel passes it together with another
    one that shares bytes with it, and one of the two is written (a result). Must run while the host
    function is still there and has slots. A kernel that nobody launches is left as it is.
    Stores to a buffer that may overlap are not `nontemporal` any more: what they replace has just
    been read, and is in the cache.

    Before:
    ```mlir
    func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
      %0 = tiny.launch @copy(%x) {result_slots = [#tiny.slot<result[0], offset = 0, bytes = 16>]}
        : (tensor<4xf32>) -> tensor<4xf32>
      return %0 : tensor<4xf32>
    }
    func.func private @copy(%a: memref<4xf32>, %b: memref<4xf32>, %x: index, %y: index, %z: index)
        attributes {tiny.kernel}
    ```
    After:
    ```mlir
    func.func private @copy(%a: memref<4xf32> {llvm.noalias}, %b: memref<4xf32> {llvm.noalias},
        %x: index, %y: index, %z: index) attributes {tiny.kernel}
    ```
  }];
}

def BindGridPass : Pass<"tiny-codegen-bind-grid", "::mlir::ModuleOp"> {
  let summary = "Give the kernels of a GPU their place in the grid by ops, with its range";
  let description = [{
    A kernel of a GPU is not told its place in the grid, it asks for it. The three coordinates become
    `gpu.block_id`, and are no arguments any more. How large they get is known: the launches say it,
    and `tiny.block` says it of `gpu.thread_id`. So both get an upper bound, which shows LLVM that
    offsets made of them are not negative and have 32 bits; a coordinate that has one value only is a
    constant. Buffers get what LLVM wants to know of them: that all of their bytes can be read, and
    their alignment, as far as their size is a multiple of it: LLVM reads up to that, whatever is asked
    for. Must run while the host function is still there.

    Before:
    ```mlir
    func.func private @k(%a: memref<256xf32>, %x: index, %y: index, %z: index)
        attributes {tiny.kernel, tiny.block = 64 : i64} {
      %t = gpu.thread_id x
      …
    ```
    After, where the largest grid of a launch is 4 x 1 x 1:
    ```mlir
    func.func private @k(%a: memref<256xf32> {llvm.align = 64 : i64,
          llvm.dereferenceable = 1024 : i64, …}) attributes {tiny.kernel, tiny.block = 64 : i64} {
      %x = gpu.block_id x upper_bound 4
      %0 = arith.constant 0 : index
      %t = gpu.thread_id x upper_bound 64
      …
    ```
  }];
  let options = [
    Option<"alignment", "alignment", "unsigned", /*default=*/"64",
           "Bytes that the address of each buffer is a multiple of.">,
  ];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::gpu::GPUDialect"];
}

def PartitionKernelsPass : Pass<"tiny-codegen-partition-kernels", "::mlir::ModuleOp"> {
  let summary = "Drop the host function and spread the kernels over nested modules";
  let description = [{
    Lowering and LLVM work on whole modules, one thread each. So that they can use several, the
    kernels are spread over `parts` nested modules of about equal size, each with its own copy of
    the `memref.global` constants it uses. Everything that is not a kernel is erased: the launch plan
    holds the host function by now.

    Before:
    ```mlir
    func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> { … }
    func.func private @a(…) attributes {tiny.kernel} { … }
    func.func private @b(…) attributes {tiny.kernel} { … }
    ```
    After, with `parts=2`:
    ```mlir
    module @part_0 {
      func.func private @a(…) attributes {tiny.kernel} { … }
    }
    module @part_1 {
      func.func private @b(…) attributes {tiny.kernel} { … }
    }
    ```
  }];
  let options = [
    Option<"parts", "parts", "unsigned", /*default=*/"1", "The number of nested modules, at most.">,
  ];
}

def ExpandMathPass : Pass<"tiny-codegen-expand-math", "::mlir::ModuleOp"> {
  let summary = "Write out exp2, log2 and sin, put exp and roundings together";
  let description = [{
    Replaces `math.exp2`, `math.log2` and `math.sin`, scalars and vectors, by arithmetic. On f32 it
    computes exp2 in f32, with an error below 1.2 ULP for every argument, and log2 and sin in f64, with
    one rounding at the end and an error below 0.51 ULP. On f64 it is below 3 ULP. `sin` reduces arguments of any size; the table for the large ones becomes a private
    constant of the module. Other types are not touched: the program computes f16 and bf16 in f32.
    The ops of f32 around an exp2 that make an exp of it become one function, which takes half as many
    instructions and is off by less than 1.3 ULP.

    With `native-scaling`, vectors of 4, 8 or 16 f32 are scaled by 2^n in one instruction, `vscalefps`.

    With `native-f32`, exp2 and log2 of f32 stay, for the hardware, and sin of f32 is computed in f32,
    to 1 ULP.

    With `native-fma`, the ops that round to an integer as `Composer::roundEven` composes them become
    `math.roundeven`, which is one instruction there.

    A fused multiply-add (`math.fma`, `vector.fma`) is a permission to contract. Without the
    `native-fma` option it becomes a multiplication and an addition, because LLVM would call a
    function that emulates it. With it, it is `math.fma`: upstream's lowering of `vector.fma` leaves
    the choice to LLVM, which splits it, as it may not contract anything else.

    Before:
    ```mlir
    %y = math.log2 %x : vector<8xf32>
    ```
    After:
    ```mlir
    %0 = arith.extf %x : vector<8xf32> to vector<8xf64>
    …
    %y = arith.truncf %n : vector<8xf64> to vector<8xf32>
    ```
  }];
  let options = [
    Option<"nativeFMA", "native-fma", "bool", /*default=*/"false",
           "The target has a fused multiply-add instruction.">,
    Option<"nativeF32", "native-f32", "bool", /*default=*/"false",
           "The target has exp2, log2 and fma of f32, and f64 is slow there.">,
    Option<"nativeScaling", "native-scaling", "bool", /*default=*/"false",
           "The target has AVX-512: vscalefps and vreduceps, of vectors of 4, 8 and 16 f32.">,
  ];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::LLVM::LLVMDialect", "::mlir::math::MathDialect",
    "::mlir::memref::MemRefDialect",
    "::mlir::scf::SCFDialect", "::mlir::vector::VectorDialect"
  ];
}

def ExpandConversionsPass : Pass<"tiny-codegen-expand-conversions"> {
  let summary = "Write out float conversions that LLVM would call or get wrong";
  let description = [{
    Scalars and vectors alike, each with one rounding to nearest even:
    * f16 and bf16 from and to f32 in integer arithmetic: LLVM calls helpers that Debian's libgcc
      does not have, and x86's own bf16 instruction flushes denormals. With `native-f16` the
      conversion between f16 and f32 stays, for the hardware.
    * f64 and wide integers to f16 and bf16, by way of an f32 that is rounded to odd.
    * ui64 to any float: LLVM 22's x86 back end crashes on it with avx512fp16.

    Before:
    ```mlir
    %y = arith.extf %x : vector<8xbf16> to vector<8xf32>
    ```
    After:
    ```mlir
    %0 = arith.bitcast %x : vector<8xbf16> to vector<8xi16>
    %1 = arith.extui %0 : vector<8xi16> to vector<8xi32>
    %2 = arith.shli %1, %cst : vector<8xi32>
    %y = arith.bitcast %2 : vector<8xi32> to vector<8xf32>
    ```
  }];
  let options = [
    Option<"nativeF16", "native-f16", "bool", /*default=*/"false",
           "The target converts between f16 and f32 itself.">,
  ];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::math::MathDialect"];
}

def ExpandReductionsPass : Pass<"tiny-codegen-expand-reductions"> {
  let summary = "Sum and multiply the elements of float vectors as trees";
  let description = [{
    `vector.reduction <add>` and `<mul>` on floats become a tree of shuffles and vector operations,
    log2(n) deep, where LLVM would make a chain of n scalar operations. The accumulator comes last.

    Before:
    ```mlir
    %s = vector.reduction <add>, %v : vector<4xf32> into f32
    ```
    After:
    ```mlir
    %lo = vector.shuffle %v, %v [0, 1] : vector<4xf32>, vector<4xf32>
    %hi = vector.shuffle %v, %v [2, 3] : vector<4xf32>, vector<4xf32>
    %2 = arith.addf %lo, %hi : vector<2xf32>
    …
    ```
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::vector::VectorDialect"];
}

def EmitEntryPointsPass : Pass<"tiny-codegen-emit-entry-points", "::mlir::ModuleOp"> {
  let summary = "Give every kernel its C entry point";
  let description = [{
    Runs on the `llvm` dialect. Each kernel gets a function of its name with the signature that all
    launch plans use, `void k(void *const *buffers, uint32_t x, uint32_t y, uint32_t z)`. The body
    becomes an internal function of its own that the entry point calls: there, every buffer is a
    parameter, which is where LLVM believes `noalias` and `align` most firmly. Buffers are
    aligned to `alignment` bytes, which the launch plan guarantees. Stores past the caches are in
    no order with those that tell other threads of the end; so a body that has some is followed by
    a fence.

    Before:
    ```mlir
    llvm.func @k(%a: !llvm.ptr {llvm.noalias}, %x: i64, %y: i64, %z: i64) attributes {tiny.kernel}
    ```
    After:
    ```mlir
    llvm.func internal @k_body(%a: !llvm.ptr {llvm.align = 64, llvm.noalias, …}, %x: i64, …)
    llvm.func @k(%buffers: !llvm.ptr, %x: i32, %y: i32, %z: i32) {
      %a = llvm.load %buffers : !llvm.ptr -> !llvm.ptr
      %0 = llvm.zext %x : i32 to i64
      …
      llvm.call @k_body(%a, %0, %1, %2)
      llvm.return
    }
    ```
  }];
  let options = [
    Option<"alignment", "alignment", "unsigned", /*default=*/"64",
           "Bytes that the address of each buffer is a multiple of.">,
  ];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect"];
}

def LowerToLLVMPass : Pass<"tiny-codegen-lower-to-llvm", "::mlir::ModuleOp"> {
  let summary = "Lower kernels to the llvm dialect, for a CPU";
  let description = [{
    Upstream's patterns for each dialect, at once. Buffers are bare pointers, since their shapes are
    static, and an index has 64 bits.

    Before:
    ```mlir
    func.func private @k(%a: memref<256xf32>, %i: index) -> f32 {
      %v = memref.load %a[%i] : memref<256xf32>
      return %v : f32
    }
    ```
    After, but for casts between the types that a buffer had and has, which the canonicaliser folds:
    ```mlir
    llvm.func @k(%a: !llvm.ptr, %i: i64) -> f32 attributes {sym_visibility = "private"} {
      %p = llvm.getelementptr inbounds|nuw %a[%i] : (!llvm.ptr, i64) -> !llvm.ptr, f32
      %v = llvm.load %p : !llvm.ptr -> f32
      llvm.return %v : f32
    }
    ```
  }];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect"];
}

def LowerToROCDLPass : Pass<"tiny-codegen-lower-to-rocdl", "::mlir::ModuleOp"> {
  let summary = "Lower kernels to the llvm and rocdl dialects, for an AMD GPU";
  let description = [{
    Upstream's patterns for each dialect, at once, and some of our own before them:
    * A buffer access is an offset in bytes from the buffer, computed without overflow in the bits of
      an index and extended by zeros: that is the form in which LLVM finds the addressing mode with a
      scalar base and a 32-bit offset. An index has 32 bits in a kernel whose buffers are all smaller
      than 2 GiB, and else 64.
    * Functions of `math` become LLVM's intrinsics, and no call of a device library.
    * Buffers and constants are in the global address space; memory of a workgroup (`memref.alloca`)
      is a global of its kernel in the local one.
    * Each kernel has the calling convention and the attributes that its `tiny.block`, `tiny.mode` and
      `tiny.waves_per_simd` ask for, and keeps denormals.

    Before:
    ```mlir
    func.func private @k(%a: memref<256xf32>) attributes {tiny.kernel, tiny.block = 64 : i64} {
      %t = gpu.thread_id x upper_bound 64
      %v = memref.load %a[%t] : memref<256xf32>
      …
    ```
    After:
    ```mlir
    llvm.func protected @k(%a: !llvm.ptr<1>) attributes {rocdl.kernel,
        rocdl.flat_work_group_size = "64,64", …} {
      %t = rocdl.workitem.id.x range <i32, 0, 64> : i32
      %0 = llvm.mul %t, %c4 overflow<nsw, nuw> : i32
      %1 = llvm.zext nneg %0 : i32 to i64
      %2 = llvm.getelementptr inbounds|nuw %a[%1] : (!llvm.ptr<1>, i64) -> !llvm.ptr<1>, i8
      %v = llvm.load %2 : !llvm.ptr<1> -> f32
      …
    ```
  }];
  let options = [
    Option<"chip", "chip", "std::string", /*default=*/"\"gfx1100\"", "The name of the chip.">,
  ];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::LLVM::LLVMDialect", "::mlir::ROCDL::ROCDLDialect"
  ];
}

def VerifyTiledRDNA3Pass : Pass<"tiny-codegen-verify-tiled-rdna3", "::mlir::ModuleOp"> {
  let summary = "Check the contract that the Tile stage ends with for RDNA3";
  let description = [{
    As tiny-codegen-verify-tiled, and for a GPU: `tiny.block` says how many lanes a workgroup has,
    whole waves and at most `max-lanes`. Only `gpu.thread_id x`, `gpu.barrier`, `gpu.shuffle` and the
    ops of `amdgpu` and `rocdl` are allowed besides. What a kernel allocates is memory of the workgroup,
    `memref.alloca` in `#gpu.address_space<workgroup>` at the top of the function, `max-local-bytes`
    together at most; there is no private memory. Changes nothing.
  }];
  let options = [
    Option<"maxLocalBytes", "max-local-bytes", "int64_t", /*default=*/"65536",
           "Bytes of local memory that one workgroup may have.">,
    Option<"maxLanes", "max-lanes", "int64_t", /*default=*/"1024", "Lanes of a workgroup, at most.">,
    Option<"waveSize", "wave-size", "int64_t", /*default=*/"32", "Lanes of a wave.">,
  ];
}

def VerifyTiledPass : Pass<"tiny-codegen-verify-tiled", "::mlir::ModuleOp"> {
  let summary = "Check the contract that the Tile stage ends with";
  let description = [{
    A kernel takes static memrefs of identity layout and three indices, returns nothing, and holds
    only `scf`, `vector`, `arith`, `math`, `memref`, `amx`, `affine.apply` and `ub` ops. It allocates on
    the stack only, a static and small amount. Every launch has a grid of three sizes of at least 1.
    Changes nothing.
  }];
  let options = [
    Option<"maxStackBytes", "max-stack-bytes", "int64_t", /*default=*/"262144",
           "Bytes that one kernel may allocate on the stack.">,
  ];
}

def VerifyLoweredPass : Pass<"tiny-codegen-verify-lowered", "::mlir::ModuleOp"> {
  let summary = "Check the contract that the Codegen stage ends with";
  let description = [{
    There is nothing but the `llvm` dialect, and every function that others can see is the entry point
    of a kernel, `void(ptr, i32, i32, i32)`. With `gpu`, the `rocdl` dialect is allowed too, functions are
    kernels that take the global addresses of their buffers, and none is called. Changes nothing.
  }];
  let options = [
    Option<"gpu", "gpu", "bool", /*default=*/"false", "The code is for a GPU.">,
  ];
}

#endif // TINY_CODEGEN_PASSES_TD
