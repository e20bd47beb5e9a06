// RUN: tiny-opt %s --tiny-tile-bufferize-kernels --split-input-file --verify-diagnostics | FileCheck %s

// Results vanish: the slice of a workgroup is written in place. Other functions stay as they are.
// CHECK-LABEL: func.func @main
// CHECK-SAME:    tensor<12xf32>
// CHECK-LABEL: func.func private @pad
// CHECK-SAME:    (%[[X:.*]]: memref<8xf32>, %[[OUT:.*]]: memref<12xf32>) attributes
// CHECK-NOT:     alloc
// CHECK:         scf.forall (%[[I:.*]]) = (0) to (12) step (4) {
// CHECK:           %[[SLICE:.*]] = memref.subview %[[OUT]][%[[I]]] [4] [1]
// CHECK:           linalg.generic {{.*}} outs(%[[SLICE]]
// CHECK:             tiny.read %[[X]][%{{.*}}] {{.*}} : memref<8xf32> -> f32
// CHECK-NOT:       memref.copy
// CHECK:         return{{$}}
func.func @main(%x: tensor<8xf32>) -> tensor<12xf32> {
  %0 = tiny.launch @pad(%x) : (tensor<8xf32>) -> tensor<12xf32>
  return %0 : tensor<12xf32>
}
func.func private @pad(%x: tensor<8xf32>, %out: tensor<12xf32>) -> tensor<12xf32> attributes {tiny.kernel} {
  %o = scf.forall (%w) = (0) to (12) step (4) shared_outs(%s = %out) -> (tensor<12xf32>) {
    %slice = tensor.extract_slice %s[%w] [4] [1] : tensor<12xf32> to tensor<4xf32>
    %t = linalg.generic {indexing_maps = [affine_map<(i) -> (i)>], iterator_types = ["parallel"]} outs(%slice : tensor<4xf32>) {
    ^bb0(%q: f32):
      %l = linalg.index 0 : index
      %i = affine.apply affine_map<(i)[w] -> (i + w)>(%l)[%w]
      %v = tiny.read %x[%i] affine_map<(i) -> (i - 2)> where affine_map<(i) -> (i)> in [2] to [10] else [0.0 : f32] : tensor<8xf32> -> f32
      linalg.yield %v : f32
    } -> tensor<4xf32>
    scf.forall.in_parallel {
      tensor.parallel_insert_slice %t into %s[%w] [4] [1] : tensor<4xf32> into tensor<12xf32>
    }
  }
  return %o : tensor<12xf32>
}

// -----

func.func private @returns_input(%x: tensor<4xf32>, %out: tensor<4xf32>) -> tensor<4xf32> attributes {tiny.kernel} {
  // expected-error @below {{the kernel does not compute its result in its destination}}
  return %x : tensor<4xf32>
}

// -----

// A local is on the stack of its workgroup. A result that is read later is read where it was written.
// CHECK-LABEL: func.func private @chain
// CHECK-SAME:    (%[[X:.*]]: memref<4xf32>, %[[A:.*]]: memref<8xf32>, %[[B:.*]]: memref<4xf32>)
// CHECK:         %[[LOCAL:.*]] = memref.alloca() {alignment = 64 : i64} : memref<4xf32>
// CHECK:         linalg.generic {{.*}} ins(%[[X]] : {{.*}}) outs(%[[LOCAL]]
// CHECK:         %[[PART:.*]] = memref.subview %[[A]][3] [4] [1]
// CHECK:         linalg.generic {{.*}} ins(%[[LOCAL]] : {{.*}}) outs(%[[PART]]
// CHECK:         linalg.generic {{.*}} ins(%[[PART]] : {{.*}}) outs(%[[B]]
// CHECK-NOT:     alloc
// CHECK-NOT:     copy
// CHECK:         return{{$}}
#id = affine_map<(i) -> (i)>
func.func private @chain(%x: tensor<4xf32>, %a: tensor<8xf32>, %b: tensor<4xf32>) -> (tensor<8xf32>, tensor<4xf32>) attributes {tiny.kernel} {
  %e = tensor.empty() : tensor<4xf32>
  %s = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]} ins(%x : tensor<4xf32>) outs(%e : tensor<4xf32>) {
  ^bb0(%p: f32, %old: f32):
    linalg.yield %p : f32
  } -> tensor<4xf32>
  %d = tensor.extract_slice %a[3] [4] [1] : tensor<8xf32> to tensor<4xf32>
  %t = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]} ins(%s : tensor<4xf32>) outs(%d : tensor<4xf32>) {
  ^bb0(%p: f32, %old: f32):
    linalg.yield %p : f32
  } -> tensor<4xf32>
  %w = tensor.insert_slice %t into %a[3] [4] [1] : tensor<4xf32> into tensor<8xf32>
  %u = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]} ins(%t : tensor<4xf32>) outs(%b : tensor<4xf32>) {
  ^bb0(%p: f32, %old: f32):
    linalg.yield %p : f32
  } -> tensor<4xf32>
  return %w, %u : tensor<8xf32>, tensor<4xf32>
}
