// Specgraft merges a distribution described in TOML onto the packaging that
// Fedora publishes, and renders the result as a deterministic tree of RPM spec
// files. It reads the project format of azldev, never executes a line of a
// spec, and can say why each rendered line is there.
//
// This package is the command line: its packages hold the commands in the groups
// that the help shows, and cli what they share. Each command decodes its flags,
// calls one function of another package and prints what it returns. The package
// comments of components, fedora, overlay and render, and of what is below them,
// say what lives where.
//
// # Where to add things
//
// Most of the program is made from tables, and what is added to a table shows in
// the schema, the help, the completion and the checks by itself. These are the
// files to change, tests aside. TestPage makes one of each, in these files and in
// no others.
//
// An overlay type:
//   - overlay/op.go: its name, among the operations
//   - overlay/table.go: its row in Ops, with help and keys
//   - overlay/NAME.go: the function of the row; it belongs to the file of its family where there is one
//
// A configuration key:
//   - components/schema/table.go: its row, with type, help and rules
//   - components/project.go: its field, when the program acts on it
//   - components/decode.go: the line that fills the field
//
// A diagnostic:
//   - PACKAGE/codes.go: its row, with what it means and what to do; the code is raised there or below
//
// A command:
//   - cmd/specgraft/GROUP/NAME.go: its constructor
//   - cmd/specgraft/root.go: one line in commandGroups
//
// A template of specs:
//   - render/template/builtin/NAME.tmpl: the template; its first line says what it is for
//
// A macro that is computed in Go:
//   - fedora/macro/native.go: its row and its function
//   - fedora/macro/data/native.macros: the same as a macro, for 'macros show --rpm'
//
// A tool of the shell subset:
//   - fedora/macro/shell/tool.go: its row
//   - fedora/macro/shell/NAME.go: its function; it belongs to the file of its family where there is one
//
// A macro that is plain text needs no code: it comes with the macro set of its
// package, which 'specgraft macros import' reads.
package main
