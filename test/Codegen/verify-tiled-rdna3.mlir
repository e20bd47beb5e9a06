// RUN: tiny-opt %s --tiny-codegen-verify-tiled-rdna3 --split-input-file --verify-diagnostics

func.func private @fine(%a: memref<64xf32>, %x: index, %y: index, %z: index)
    attributes {tiny.kernel, tiny.block = 64 : i64, tiny.mode = "cu", tiny.waves_per_simd = 8 : i64} {
  %local = memref.alloca() {alignment = 16 : i64} : memref<16384xf32, #gpu.address_space<workgroup>>
  %lane = gpu.thread_id x
  gpu.barrier
  return
}

// -----

// expected-error @+1 {{has no 'tiny.block', the lanes of a workgroup}}
func.func private @no_block(%x: index, %y: index, %z: index) attributes {tiny.kernel} {
  return
}

// -----

// expected-error @+1 {{has 48 lanes in a workgroup; it must be a multiple of 32 up to 1024}}
func.func private @half_wave(%x: index, %y: index, %z: index)
    attributes {tiny.kernel, tiny.block = 48 : i64} {
  return
}

// -----

// expected-error @+1 {{has 2048 lanes in a workgroup}}
func.func private @too_many(%x: index, %y: index, %z: index)
    attributes {tiny.kernel, tiny.block = 2048 : i64} {
  return
}

// -----

// expected-error @+1 {{has the mode "both"; there are "cu" and "wgp"}}
func.func private @mode(%x: index, %y: index, %z: index)
    attributes {tiny.kernel, tiny.block = 32 : i64, tiny.mode = "both"} {
  return
}

// -----

// expected-error @+1 {{shall leave room for 17 : i64 waves per SIMD; a SIMD has 1 to 16}}
func.func private @waves(%x: index, %y: index, %z: index)
    attributes {tiny.kernel, tiny.block = 32 : i64, tiny.waves_per_simd = 17 : i64} {
  return
}

// -----

func.func private @private(%x: index, %y: index, %z: index)
    attributes {tiny.kernel, tiny.block = 32 : i64} {
  // expected-error @+1 {{is private memory, which RDNA3 kernels have none of}}
  %0 = memref.alloca() : memref<4xf32>
  return
}

// -----

func.func private @nested(%x: index, %y: index, %z: index)
    attributes {tiny.kernel, tiny.block = 32 : i64} {
  scf.for %i = %x to %y step %z {
    // expected-error @+1 {{is not at the top of its kernel}}
    %0 = memref.alloca() : memref<4xf32, #gpu.address_space<workgroup>>
  }
  return
}

// -----

// expected-error @+1 {{has 65540 bytes of local memory; a workgroup has 65536 at most}}
func.func private @large(%x: index, %y: index, %z: index)
    attributes {tiny.kernel, tiny.block = 32 : i64} {
  %0 = memref.alloca() : memref<16384xf32, #gpu.address_space<workgroup>>
  %1 = memref.alloca() : memref<1xf32, #gpu.address_space<workgroup>>
  return
}

// -----

func.func private @second_dimension(%x: index, %y: index, %z: index)
    attributes {tiny.kernel, tiny.block = 32 : i64} {
  // expected-error @+1 {{is left in a tiled kernel; Codegen lowers scf, vector}}
  %0 = gpu.thread_id y
  return
}

// -----

func.func private @copy(%a: memref<4xf32>, %b: memref<4xf32>, %x: index, %y: index, %z: index)
    attributes {tiny.kernel, tiny.block = 32 : i64} {
  // expected-error @+1 {{is left in a tiled kernel}}
  memref.copy %a, %b : memref<4xf32> to memref<4xf32>
  return
}
