// A sum that selects by comparing a position with data is a load at a place that data decides, and
// never a loop over the table.
//
// RUN: tiny-opt %s --tiny-schedule-form-kernels --split-input-file | FileCheck %s

// CHECK:       #[[$FLAT:.*]] = affine_map<(d0, d1, d2) -> (d1 + d2 * 512)>
// CHECK:       #[[$ROW:.*]] = affine_map<(d0, d1, d2) -> (d2)>
// CHECK-LABEL: func.func @main
// CHECK-NEXT:    tiny.launch @gather_16x512(%arg1, %arg0)
// CHECK-NEXT:    return
// CHECK:       func.func private @gather_16x512
// CHECK:         iterator_types = ["parallel", "parallel"]
// CHECK:         %[[Y:.*]] = arith.index_cast %{{.*}} : i32 to index
// CHECK:         tiny.read %{{.*}}[%{{.*}}, %{{.*}}, %[[Y]]] #[[$FLAT]] where #[[$ROW]] in [0] to [32000] else [0.000000e+00 : f32]
func.func @main(%table: tensor<32000x512xf32>, %which: tensor<16xi32>) -> tensor<16x512xf32> {
  %t0 = tiny.reshape %table : tensor<32000x512xf32> to tensor<1x32000x512xf32>
  %t1 = tiny.expand %t0 : tensor<1x32000x512xf32> to tensor<16x32000x512xf32>
  %w0 = tiny.reshape %which : tensor<16xi32> to tensor<16x1x1xi32>
  %w1 = tiny.expand %w0 : tensor<16x1x1xi32> to tensor<16x32000x512xi32>
  %i = tiny.iota dim 1 : tensor<16x32000x512xi32>
  %c = tiny.cmp eq %i, %w1 : tensor<16x32000x512xi32>
  %z = tiny.constant dense<0.0> : tensor<16x32000x512xf32>
  %s = tiny.where %c, %t1, %z : tensor<16x32000x512xf32>
  %r = tiny.reduce add %s dims [1] : tensor<16x32000x512xf32> -> tensor<16x512xf32>
  return %r : tensor<16x512xf32>
}

// -----

// The other side of the comparison, a place that is computed, and a value that is: what is loaded is
// guarded, and what is made of it is chosen.
// CHECK-LABEL: func.func @main
// CHECK-NEXT:    tiny.launch @gather_{{.*}}_5(%arg1, %arg0)
// CHECK:       func.func private @gather_{{.*}}_5
// CHECK-NOT:     "reduction"
// CHECK:         tiny.read {{.*}} else [0.000000e+00 : f32]
// CHECK:         math.exp2
// CHECK:         arith.select
func.func @main(%x: tensor<300xf32>, %y: tensor<5xui8>) -> tensor<5xf32> {
  %e = tiny.exp2 %x : tensor<300xf32>
  %e0 = tiny.reshape %e : tensor<300xf32> to tensor<1x300xf32>
  %e1 = tiny.expand %e0 : tensor<1x300xf32> to tensor<5x300xf32>
  %two = tiny.constant dense<2> : tensor<5xi32>
  %y0 = tiny.cast %y : tensor<5xui8> to tensor<5xi32>
  %y1 = tiny.mul %y0, %two : tensor<5xi32>
  %y2 = tiny.reshape %y1 : tensor<5xi32> to tensor<5x1xi32>
  %y3 = tiny.expand %y2 : tensor<5x1xi32> to tensor<5x300xi32>
  %i = tiny.iota dim 1 : tensor<5x300xi32>
  %c = tiny.cmp eq %y3, %i : tensor<5x300xi32>
  %z = tiny.constant dense<0.0> : tensor<5x300xf32>
  %s = tiny.where %c, %e1, %z : tensor<5x300xf32>
  %r = tiny.reduce add %s dims [1] : tensor<5x300xf32> -> tensor<5xf32>
  return %r : tensor<5xf32>
}

// -----

// 300 positions are not 300 numbers of ui8: several rows are added, in a loop.
// CHECK-LABEL: func.func @main
// CHECK:       func.func private @reduce_add_5
// CHECK:         "reduction"
func.func @main(%x: tensor<300xf32>, %y: tensor<5xui8>) -> tensor<5xf32> {
  %e0 = tiny.reshape %x : tensor<300xf32> to tensor<1x300xf32>
  %e1 = tiny.expand %e0 : tensor<1x300xf32> to tensor<5x300xf32>
  %y2 = tiny.reshape %y : tensor<5xui8> to tensor<5x1xui8>
  %y3 = tiny.expand %y2 : tensor<5x1xui8> to tensor<5x300xui8>
  %i = tiny.iota dim 1 : tensor<5x300xui8>
  %c = tiny.cmp eq %y3, %i : tensor<5x300xui8>
  %z = tiny.constant dense<0.0> : tensor<5x300xf32>
  %s = tiny.where %c, %e1, %z : tensor<5x300xf32>
  %r = tiny.reduce add %s dims [1] : tensor<5x300xf32> -> tensor<5xf32>
  return %r : tensor<5xf32>
}
