// Constant factors of matrix products, which a GPU keeps in another order than the program gives them.
// RUN: tiny-run %s --input random:1 --poison --verify-against reference | FileCheck %s
// CHECK-COUNT-4: agrees with the reference

// Three of the four are permuted, and WMMA gets all of them.
// RUN: tiny-run %s --target rdna3 --emit mlir | FileCheck %s --check-prefix=LAYOUT
// LAYOUT:     tiny.layout = [[OPEN:.]]order = array<i64: 1, 0>, shape = array<i64: 256, 256>
// LAYOUT:     tiny.layout = [[OPEN]]order = array<i64: 1, 0, 2>, shape = array<i64: 16, 192, 16>
// LAYOUT:     tiny.layout = [[OPEN]]order = array<i64: 1, 0>, shape = array<i64: 269, 257>
// LAYOUT-NOT: tiny.layout
// LAYOUT:     launch
func.func @main(%a0: tensor<192x256xf16>, %a1: tensor<256x256xbf16>, %a2: tensor<263x269xi8>, %a3: tensor<192x256xf16>) -> (tensor<192x256xf32>, tensor<256x192xf32>, tensor<263x257xi32>, tensor<192x224xf32>) {
  // By rows: the depth is the outer dim.
  %1 = tiny.cast %a0 : tensor<192x256xf16> to tensor<192x256xf32>
  %2 = tiny.iota dim 0 : tensor<256x256xf32>
  %3 = tiny.constant dense<0.71> : tensor<256x256xf32>
  %4 = tiny.mul %2, %3 : tensor<256x256xf32>
  %5 = tiny.iota dim 1 : tensor<256x256xf32>
  %6 = tiny.constant dense<1.37> : tensor<256x256xf32>
  %7 = tiny.mul %5, %6 : tensor<256x256xf32>
  %8 = tiny.add %4, %7 : tensor<256x256xf32>
  %9 = tiny.sin %8 : tensor<256x256xf32>
  %10 = tiny.cast %9 : tensor<256x256xf32> to tensor<256x256xf16>
  %11 = tiny.cast %10 : tensor<256x256xf16> to tensor<256x256xf32>
  %12 = tiny.permute %11 [1, 0] : tensor<256x256xf32> -> tensor<256x256xf32>
  %13 = tiny.reshape %1 : tensor<192x256xf32> to tensor<192x1x256xf32>
  %14 = tiny.reshape %12 : tensor<256x256xf32> to tensor<1x256x256xf32>
  %15 = tiny.expand %13 : tensor<192x1x256xf32> to tensor<192x256x256xf32>
  %16 = tiny.expand %14 : tensor<1x256x256xf32> to tensor<192x256x256xf32>
  %17 = tiny.mul %15, %16 : tensor<192x256x256xf32>
  %18 = tiny.reduce add %17 dims [2] : tensor<192x256x256xf32> -> tensor<192x256xf32>
  // The depth is in two dims, and columns between them.
  %19 = tiny.cast %a1 : tensor<256x256xbf16> to tensor<256x256xf32>
  %20 = tiny.iota dim 0 : tensor<16x192x16xf32>
  %21 = tiny.constant dense<0.71> : tensor<16x192x16xf32>
  %22 = tiny.mul %20, %21 : tensor<16x192x16xf32>
  %23 = tiny.iota dim 1 : tensor<16x192x16xf32>
  %24 = tiny.constant dense<1.37> : tensor<16x192x16xf32>
  %25 = tiny.mul %23, %24 : tensor<16x192x16xf32>
  %26 = tiny.add %22, %25 : tensor<16x192x16xf32>
  %27 = tiny.iota dim 2 : tensor<16x192x16xf32>
  %28 = tiny.constant dense<0.53> : tensor<16x192x16xf32>
  %29 = tiny.mul %27, %28 : tensor<16x192x16xf32>
  %30 = tiny.add %26, %29 : tensor<16x192x16xf32>
  %31 = tiny.sin %30 : tensor<16x192x16xf32>
  %32 = tiny.cast %31 : tensor<16x192x16xf32> to tensor<16x192x16xbf16>
  %33 = tiny.cast %32 : tensor<16x192x16xbf16> to tensor<16x192x16xf32>
  %34 = tiny.permute %33 [1, 0, 2] : tensor<16x192x16xf32> -> tensor<192x16x16xf32>
  %35 = tiny.reshape %19 : tensor<256x256xf32> to tensor<256x1x16x16xf32>
  %36 = tiny.reshape %34 : tensor<192x16x16xf32> to tensor<1x192x16x16xf32>
  %37 = tiny.expand %35 : tensor<256x1x16x16xf32> to tensor<256x192x16x16xf32>
  %38 = tiny.expand %36 : tensor<1x192x16x16xf32> to tensor<256x192x16x16xf32>
  %39 = tiny.mul %37, %38 : tensor<256x192x16x16xf32>
  %40 = tiny.reduce add %39 dims [2, 3] : tensor<256x192x16x16xf32> -> tensor<256x192xf32>
  // Integers, and sizes that no tile divides.
  %41 = tiny.cast %a2 : tensor<263x269xi8> to tensor<263x269xi32>
  %42 = tiny.iota dim 0 : tensor<269x257xf32>
  %43 = tiny.constant dense<0.71> : tensor<269x257xf32>
  %44 = tiny.mul %42, %43 : tensor<269x257xf32>
  %45 = tiny.iota dim 1 : tensor<269x257xf32>
  %46 = tiny.constant dense<1.37> : tensor<269x257xf32>
  %47 = tiny.mul %45, %46 : tensor<269x257xf32>
  %48 = tiny.add %44, %47 : tensor<269x257xf32>
  %49 = tiny.sin %48 : tensor<269x257xf32>
  %50 = tiny.constant dense<100.0> : tensor<269x257xf32>
  %51 = tiny.mul %49, %50 : tensor<269x257xf32>
  %52 = tiny.cast %51 : tensor<269x257xf32> to tensor<269x257xi8>
  %53 = tiny.cast %52 : tensor<269x257xi8> to tensor<269x257xi32>
  %54 = tiny.permute %53 [1, 0] : tensor<269x257xi32> -> tensor<257x269xi32>
  %55 = tiny.reshape %41 : tensor<263x269xi32> to tensor<263x1x269xi32>
  %56 = tiny.reshape %54 : tensor<257x269xi32> to tensor<1x257x269xi32>
  %57 = tiny.expand %55 : tensor<263x1x269xi32> to tensor<263x257x269xi32>
  %58 = tiny.expand %56 : tensor<1x257x269xi32> to tensor<263x257x269xi32>
  %59 = tiny.mul %57, %58 : tensor<263x257x269xi32>
  %60 = tiny.reduce add %59 dims [2] : tensor<263x257x269xi32> -> tensor<263x257xi32>
  // As the matrix unit wants it already.
  %61 = tiny.cast %a3 : tensor<192x256xf16> to tensor<192x256xf32>
  %62 = tiny.iota dim 0 : tensor<224x256xf32>
  %63 = tiny.constant dense<0.71> : tensor<224x256xf32>
  %64 = tiny.mul %62, %63 : tensor<224x256xf32>
  %65 = tiny.iota dim 1 : tensor<224x256xf32>
  %66 = tiny.constant dense<1.37> : tensor<224x256xf32>
  %67 = tiny.mul %65, %66 : tensor<224x256xf32>
  %68 = tiny.add %64, %67 : tensor<224x256xf32>
  %69 = tiny.sin %68 : tensor<224x256xf32>
  %70 = tiny.cast %69 : tensor<224x256xf32> to tensor<224x256xf16>
  %71 = tiny.cast %70 : tensor<224x256xf16> to tensor<224x256xf32>
  %72 = tiny.permute %71 [0, 1] : tensor<224x256xf32> -> tensor<224x256xf32>
  %73 = tiny.reshape %61 : tensor<192x256xf32> to tensor<192x1x256xf32>
  %74 = tiny.reshape %72 : tensor<224x256xf32> to tensor<1x224x256xf32>
  %75 = tiny.expand %73 : tensor<192x1x256xf32> to tensor<192x224x256xf32>
  %76 = tiny.expand %74 : tensor<1x224x256xf32> to tensor<192x224x256xf32>
  %77 = tiny.mul %75, %76 : tensor<192x224x256xf32>
  %78 = tiny.reduce add %77 dims [2] : tensor<192x224x256xf32> -> tensor<192x224xf32>
  return %18, %40, %60, %78 : tensor<192x256xf32>, tensor<256x192xf32>, tensor<263x257xi32>, tensor<192x224xf32>
}
