// UNSUPPORTED: sim
// --tune for a GPU: tilings are checked on the simulator, and compared by what it counts.

// RUN: rm -rf %t && mkdir %t
// RUN: tiny-run %s --target rdna3 --device sim --input random:1 --cache %t/cache --tune=8 --verify-against reference 2>&1 | FileCheck %s
// CHECK-NOT: rejected
// CHECK: tuned 1/2 {{.*}} launch{{.*}}, estimated, {{[0-9]+}} tilings measured
// CHECK: tuned 2/2 {{.*}} launch{{.*}}, estimated, {{[0-9]+}} tilings measured
// CHECK: result0: agrees
// RUN: ls %t/cache | grep tilings- | count 2

// Later runs use them; another chip, and a CPU, have tilings of their own.
// RUN: tiny-run %s --target gfx1100 --cache %t/cache --report | FileCheck %s --check-prefix=USED
// USED: 2 of 2 kernels have tilings that --tune has found
// RUN: tiny-run %s --target gfx1102 --cache %t/cache --report | FileCheck %s --check-prefix=NONE
// RUN: tiny-run %s --cache %t/cache --report | FileCheck %s --check-prefix=NONE
// NONE-NOT: --tune has found
// RUN: tiny-run %s --target rdna3 --cache %t/empty --emit asm -o %t/default.s 2>&1 | FileCheck %s --check-prefix=EMPTY
// EMPTY: warning: no kernel has tilings in the cache '{{.*}}empty'

// x·w in f16, where w is computed on its way to LDS, and the largest of each row.
func.func @main(%x: tensor<32x64xf16>) -> tensor<32xf32> {
  %a = tiny.constant dense<[-1.0, -0.375, 0.25, 0.875, -0.625, 0.0, 0.625, -0.875, -0.25, 0.375, 1.0, -0.5, 0.125, 0.75, -0.75, -0.125,
    0.5, -1.0, -0.375, 0.25, 0.875, -0.625, 0.0, 0.625, -0.875, -0.25, 0.375, 1.0, -0.5, 0.125, 0.75, -0.75,
    -0.125, 0.5, -1.0, -0.375, 0.25, 0.875, -0.625, 0.0, 0.625, -0.875, -0.25, 0.375, 1.0, -0.5, 0.125, 0.75,
    -0.75, -0.125, 0.5, -1.0, -0.375, 0.25, 0.875, -0.625, 0.0, 0.625, -0.875, -0.25, 0.375, 1.0, -0.5, 0.125]> : tensor<64xf16>
  %b = tiny.constant dense<[-1.0, -0.625, -0.25, 0.125, 0.5, 0.875, -0.875, -0.5, -0.125, 0.25, 0.625, 1.0, -0.75, -0.375, 0.0, 0.375,
    0.75, -1.0, -0.625, -0.25, 0.125, 0.5, 0.875, -0.875, -0.5, -0.125, 0.25, 0.625, 1.0, -0.75, -0.375, 0.0,
    0.375, 0.75, -1.0, -0.625, -0.25, 0.125, 0.5, 0.875, -0.875, -0.5, -0.125, 0.25, 0.625, 1.0, -0.75, -0.375]> : tensor<48xf16>
  %ar = tiny.reshape %a : tensor<64xf16> to tensor<64x1xf16>
  %ae = tiny.expand %ar : tensor<64x1xf16> to tensor<64x48xf16>
  %br = tiny.reshape %b : tensor<48xf16> to tensor<1x48xf16>
  %be = tiny.expand %br : tensor<1x48xf16> to tensor<64x48xf16>
  %w = tiny.add %ae, %be : tensor<64x48xf16>
  %xr = tiny.reshape %x : tensor<32x64xf16> to tensor<32x64x1xf16>
  %xe = tiny.expand %xr : tensor<32x64x1xf16> to tensor<32x64x48xf16>
  %wr = tiny.reshape %w : tensor<64x48xf16> to tensor<1x64x48xf16>
  %we = tiny.expand %wr : tensor<1x64x48xf16> to tensor<32x64x48xf16>
  %xc = tiny.cast %xe : tensor<32x64x48xf16> to tensor<32x64x48xf32>
  %wc = tiny.cast %we : tensor<32x64x48xf16> to tensor<32x64x48xf32>
  %p = tiny.mul %xc, %wc : tensor<32x64x48xf32>
  %y = tiny.reduce add %p dims [1] : tensor<32x64x48xf32> -> tensor<32x48xf32>
  %m = tiny.reduce max %y dims [1] : tensor<32x48xf32> -> tensor<32xf32>
  return %m : tensor<32xf32>
}
