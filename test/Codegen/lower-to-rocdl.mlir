// RUN: tiny-opt %s --tiny-codegen-lower-to-rocdl --canonicalize --split-input-file | FileCheck %s
// RUN: not tiny-opt %s --tiny-codegen-lower-to-rocdl=chip=z80 --split-input-file 2>&1 | FileCheck --check-prefix=CHIP %s
// CHIP: error: 'z80' is no chip of AMD

// An offset in bytes, without overflow, extended by zeros; what the kernel says is in its attributes.
// CHECK-LABEL: llvm.func protected @short(
// CHECK-SAME: %[[A:.*]]: !llvm.ptr<1>
// CHECK-SAME: denormal-fp-math
// CHECK-SAME: rocdl.flat_work_group_size = "64,64"
// CHECK-SAME: rocdl.kernel
// CHECK-SAME: rocdl.reqd_work_group_size = array<i32: 64, 1, 1>
// CHECK-SAME: rocdl.waves_per_eu = 8 : i32
// CHECK-SAME: target_features = #llvm.target_features<["+cumode"]>
// CHECK-NOT: tiny.
// CHECK-DAG: %[[X:.*]] = rocdl.workgroup.id.x range <i32, 0, 4> : i32
// CHECK-DAG: %[[LANE:.*]] = rocdl.workitem.id.x range <i32, 0, 64> : i32
// CHECK: %[[ROW:.*]] = llvm.mul %[[X]], %{{.*}} overflow<nsw, nuw> : i32
// CHECK: %[[SUM:.*]] = llvm.add %[[ROW]], %[[LANE]] overflow<nsw, nuw> : i32
// CHECK: %[[BYTES:.*]] = llvm.mul %[[SUM]], %{{.*}} overflow<nsw, nuw> : i32
// CHECK: %[[OFFSET:.*]] = llvm.zext nneg %[[BYTES]] : i32 to i64
// CHECK: %[[P:.*]] = llvm.getelementptr inbounds|nuw %[[A]][%[[OFFSET]]] : (!llvm.ptr<1>, i64) -> !llvm.ptr<1>, i8
// CHECK: llvm.load %[[P]] {alignment = 16 : i64} : !llvm.ptr<1> -> vector<4xf32>
// CHECK: llvm.intr.fma(
func.func private @short(%a: memref<4x128xf32>) attributes {tiny.kernel, tiny.block = 64 : i64,
    tiny.mode = "cu", tiny.waves_per_simd = 8 : i64} {
  %x = gpu.block_id x upper_bound 4
  %lane = gpu.thread_id x upper_bound 64
  %v = vector.load %a[%x, %lane] {alignment = 16} : memref<4x128xf32>, vector<4xf32>
  %w = math.fma %v, %v, %v : vector<4xf32>
  vector.store %w, %a[%x, %lane] {nontemporal = true} : memref<4x128xf32>, vector<4xf32>
  return
}

// -----

// Numbers from data may be any, and must not be cut before they are tested. So with a buffer of 2 GiB.
// CHECK-LABEL: llvm.func protected @data(
// CHECK: rocdl.workitem.id.x
// CHECK: llvm.getelementptr {{.*}} : (!llvm.ptr<1>, i64)
// CHECK-NOT: llvm.trunc
// CHECK-LABEL: llvm.func protected @huge(
// CHECK-NOT: llvm.zext nneg
// CHECK: llvm.getelementptr {{.*}} : (!llvm.ptr<1>, i64)
func.func private @data(%a: memref<64xi64>, %b: memref<64xf32>)
    attributes {tiny.kernel, tiny.block = 64 : i64} {
  %lane = gpu.thread_id x upper_bound 64
  %n = memref.load %a[%lane] : memref<64xi64>
  %i = arith.index_cast %n : i64 to index
  %c64 = arith.constant 64 : index
  %inside = arith.cmpi ult, %i, %c64 : index
  %c0 = arith.constant 0 : index
  %at = arith.select %inside, %i, %c0 : index
  %v = memref.load %b[%at] : memref<64xf32>
  memref.store %v, %b[%lane] : memref<64xf32>
  return
}
func.func private @huge(%a: memref<536870912xf32>) attributes {tiny.kernel, tiny.block = 64 : i64} {
  %x = gpu.block_id x upper_bound 8388608
  %v = memref.load %a[%x] : memref<536870912xf32>
  memref.store %v, %a[%x] : memref<536870912xf32>
  return
}

// -----

// Memory of the workgroup; functions are LLVM's; a barrier is one.
// CHECK: llvm.mlir.global private @local_local_0() {addr_space = 3 : i32, alignment = 16 : i64} : !llvm.array<64 x f32>
// CHECK-LABEL: llvm.func protected @local(
// CHECK-DAG: llvm.mlir.addressof @local_local_0 : !llvm.ptr<3>
// CHECK: llvm.getelementptr inbounds|nuw {{.*}} : (!llvm.ptr<3>, i32) -> !llvm.ptr<3>, i8
// CHECK-NOT: __ocml
// CHECK: llvm.intr.exp2(
// CHECK: llvm.intr.log2(
// CHECK: llvm.intr.sqrt(
// CHECK: rocdl.{{(s\.)?}}barrier
func.func private @local(%a: memref<64xf32>) attributes {tiny.kernel, tiny.block = 64 : i64} {
  %local = memref.alloca() {alignment = 16 : i64} : memref<64xf32, #gpu.address_space<workgroup>>
  %lane = gpu.thread_id x upper_bound 64
  %v = memref.load %local[%lane] : memref<64xf32, #gpu.address_space<workgroup>>
  %0 = math.exp2 %v : f32
  %1 = math.log2 %0 : f32
  %2 = math.sqrt %1 : f32
  gpu.barrier
  memref.store %2, %a[%lane] : memref<64xf32>
  return
}
