package macro

// natives are macros of Fedora's packages that are computed in Go, because the
// originals are Lua programs with libraries.
var natives = []*def{}
