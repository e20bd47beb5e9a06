// error: has arg0 of type 'i32'
// tools: tiny-run
func.func @main(%x: i32) {
  
  return
}
