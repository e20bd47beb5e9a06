// RUN: tiny-opt %s --tiny-codegen-cpu | FileCheck %s

// A kernel as the Tile stage leaves it: its code has bare pointers and no descriptor, and bf16 is
// nothing but bits.
// CHECK-NOT: @main
// CHECK: module @part_0
// CHECK: llvm.func internal @scale_body(%[[IN:.*]]: !llvm.ptr {{{.*}}llvm.noalias{{.*}}}, %{{.*}}: !llvm.ptr {{{.*}}llvm.noalias{{.*}}},
// CHECK-NOT: !llvm.struct
// CHECK: llvm.load %{{.*}} : !llvm.ptr -> vector<4xi16>
// CHECK-NOT: llvm.fpext
// CHECK-NOT: bf16
// CHECK: llvm.fmul %{{.*}} : vector<4xf32>
// CHECK-NOT: llvm.fptrunc
// CHECK: llvm.store %{{.*}} : vector<4xi16>, !llvm.ptr
// CHECK: llvm.func @scale(%{{.*}}: !llvm.ptr, %{{.*}}: i32, %{{.*}}: i32, %{{.*}}: i32)
func.func @main(%x: tensor<16xbf16>) -> tensor<16xbf16> {
  %0 = tiny.launch @scale(%x) {grid = array<i64: 4, 1, 1>,
      result_slots = [#tiny.slot<result[0], offset = 0, bytes = 32>]} : (tensor<16xbf16>) -> tensor<16xbf16>
  return %0 : tensor<16xbf16>
}
func.func private @scale(%in: memref<16xi16>, %out: memref<16xi16>, %x: index, %y: index, %z: index)
    attributes {tiny.kernel} {
  %i = affine.apply affine_map<(d0) -> (d0 * 4)>(%x)
  %b = vector.load %in[%i] : memref<16xi16>, vector<4xi16>
  %v = arith.bitcast %b : vector<4xi16> to vector<4xbf16>
  %w = arith.extf %v : vector<4xbf16> to vector<4xf32>
  %s = arith.mulf %w, %w : vector<4xf32>
  %r = arith.truncf %s : vector<4xf32> to vector<4xbf16>
  %t = arith.bitcast %r : vector<4xbf16> to vector<4xi16>
  vector.store %t, %out[%i] : memref<16xi16>, vector<4xi16>
  return
}
