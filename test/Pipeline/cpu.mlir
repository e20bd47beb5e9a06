// RUN: tiny-opt %s --tiny-cpu | FileCheck %s
// RUN: tiny-opt %s --tiny-schedule --tiny-tile-cpu | FileCheck %s --check-prefix=TILED

// From ops to code: one kernel, in one function that the runtime can call.
// CHECK: llvm.func internal @[[BODY:.*]]_body(
// CHECK: llvm.fadd
// CHECK: llvm.func @[[BODY]](%{{.*}}: !llvm.ptr, %{{.*}}: i32, %{{.*}}: i32, %{{.*}}: i32)

// TILED: func.func @main
// TILED: tiny.launch @[[KERNEL:.*]](%{{.*}}) {grid = array<i64: {{.*}}>, result_slots = [#tiny.slot<result[0], offset = 0, bytes = 256>]}
// TILED: func.func private @[[KERNEL]](%{{.*}}: memref<{{.*}}>, %{{.*}}: memref<{{.*}}>, %{{.*}}: index, %{{.*}}: index, %{{.*}}: index)
func.func @main(%x: tensor<8x8xf32>) -> tensor<8x8xf32> {
  %0 = tiny.permute %x [1, 0] : tensor<8x8xf32> -> tensor<8x8xf32>
  %1 = tiny.add %x, %0 : tensor<8x8xf32>
  return %1 : tensor<8x8xf32>
}
