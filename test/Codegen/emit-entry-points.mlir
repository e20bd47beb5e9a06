// RUN: tiny-opt %s --tiny-codegen-emit-entry-points --split-input-file --verify-diagnostics | FileCheck %s

// CHECK: llvm.func internal @k_body(%{{.*}}: !llvm.ptr {llvm.align = 64 : i64, llvm.noalias, llvm.noundef}, %{{.*}}: !llvm.ptr {llvm.align = 64 : i64, llvm.noundef}, %{{.*}}: i64, %{{.*}}: i64, %{{.*}}: i64)
// CHECK-NOT: tiny.kernel
// CHECK: llvm.func @k(%[[BUFFERS:.*]]: !llvm.ptr, %[[X:.*]]: i32, %[[Y:.*]]: i32, %[[Z:.*]]: i32)
// CHECK: %[[P0:.*]] = llvm.getelementptr %[[BUFFERS]][0]
// CHECK: %[[A:.*]] = llvm.load %[[P0]] : !llvm.ptr -> !llvm.ptr
// CHECK: %[[P1:.*]] = llvm.getelementptr %[[BUFFERS]][1]
// CHECK: %[[B:.*]] = llvm.load %[[P1]] : !llvm.ptr -> !llvm.ptr
// CHECK: %[[WX:.*]] = llvm.zext %[[X]] : i32 to i64
// CHECK: llvm.call @k_body(%[[A]], %[[B]], %[[WX]], %{{.*}}, %{{.*}})
llvm.func @k(%a: !llvm.ptr {llvm.noalias}, %b: !llvm.ptr, %x: i64, %y: i64, %z: i64) attributes {tiny.kernel} {
  llvm.return
}

// -----

// expected-error @+1 {{a kernel takes its buffers, then three coordinates of type index; this one is lowered to '!llvm.func<void (ptr, i64, i64)>'}}
llvm.func @k(%a: !llvm.ptr, %x: i64, %y: i64) attributes {tiny.kernel} {
  llvm.return
}

// -----

// Stores past the caches are waited for.
// CHECK: llvm.func @streams(
// CHECK: llvm.call @streams_body
// CHECK-NEXT: llvm.fence seq_cst
// CHECK: llvm.func @stores(
// CHECK-NOT: llvm.fence
llvm.func @streams(%a: !llvm.ptr, %x: i64, %y: i64, %z: i64) attributes {tiny.kernel} {
  %0 = llvm.mlir.zero : vector<8xf32>
  llvm.store %0, %a {alignment = 32 : i64, nontemporal} : vector<8xf32>, !llvm.ptr
  llvm.return
}
llvm.func @stores(%a: !llvm.ptr, %x: i64, %y: i64, %z: i64) attributes {tiny.kernel} {
  %0 = llvm.mlir.zero : vector<8xf32>
  llvm.store %0, %a : vector<8xf32>, !llvm.ptr
  llvm.return
}
