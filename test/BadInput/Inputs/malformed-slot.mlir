// error: to be one of: argument, result, constants, state, workspace
func.func @main() attributes {s = #tiny.slot<attic[0], offset = 0, bytes = 4>} {
  return
}
