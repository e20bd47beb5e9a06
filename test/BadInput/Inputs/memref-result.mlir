// error: memref<4xf32>
// tools: tiny-run
func.func @main(%x: memref<4xf32>) -> memref<4xf32> { return %x : memref<4xf32> }
